"""Why a request failed."""


class BusError(Exception):
    """A code for programs, a sentence for people; see `error` in proto/PROTOCOL.md."""

    def __init__(self, code, text, retry_after_ms=0):
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.retry_after_ms = retry_after_ms
