"""Reads the call out of what an agent said.

For programs that used the original's parser. What Orchestrator sends is read by the system itself,
which forgives more (docs/writing-an-agent.md).
"""

import ast
import re

from aiopslab.utils.status import ResponseParsingError

FENCED = re.compile(r"^[ \t]*```[^\n`]*\n(.*?)\n?[ \t]*```", re.DOTALL | re.MULTILINE)
CALL = re.compile(r"\s*([A-Za-z_]\w*)\s*\((.*)\)\s*\Z", re.DOTALL)


class ResponseParser:
    """The call must be the only fenced block; prose may stand around it."""

    def parse(self, response):
        """Returns {"api_name", "args", "kwargs", "context"}; raises ResponseParsingError."""
        code = self.extract_codeblock(response)
        name = self.parse_api_name(code)
        args, kwargs = self.parse_args(code, is_shell_command=name == "exec_shell")
        return {"api_name": name, "args": args, "kwargs": kwargs,
                "context": self.extract_context(response)}

    def extract_codeblock(self, response):
        """What is in the fenced block."""
        blocks = FENCED.findall(response)
        if len(blocks) != 1:
            raise ResponseParsingError(
                f"there must be one block between lines of three backticks, and there are {len(blocks)}")
        return blocks[0].strip()

    def extract_context(self, response):
        """What stands around the block, as a list of texts."""
        return [text for text in (part.strip() for part in FENCED.sub("\0", response).split("\0")) if text]

    def parse_api_name(self, response):
        """The name of the action."""
        return self._split(response)[0]

    def parse_args(self, response, is_shell_command=False):
        """The arguments by position, and those by keyword. A shell command need not escape the
        quotes within its own."""
        text = self._split(response)[1]
        try:
            call = ast.parse(f"f({text})", mode="eval").body
        except SyntaxError as error:
            if is_shell_command:
                return [self._raw_command(text)], {}
            raise ResponseParsingError(f"the arguments are no Python values: {text}") from error
        return ([self.eval_ast_node(node) for node in call.args],
                {word.arg: self.eval_ast_node(word.value) for word in call.keywords})

    def eval_ast_node(self, node):
        """The value of a literal; tuples become lists."""
        try:
            value = ast.literal_eval(node)
        except ValueError as error:
            raise ResponseParsingError(f"not a plain value: {ast.unparse(node)}") from error
        return list(value) if isinstance(value, tuple) else value

    @staticmethod
    def _split(code):
        match = CALL.match(code)
        if match is None:
            raise ResponseParsingError(f"not a call of an action: {code}")
        return match.groups()

    @staticmethod
    def _raw_command(text):
        begin = min((at for at in (text.find('"'), text.find("'")) if at >= 0), default=-1)
        end = text.rfind(text[begin]) if begin >= 0 else -1
        if end <= begin:
            raise ResponseParsingError("a shell command must be quoted")
        return text[begin + 1:end]
