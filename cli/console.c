#include "cli/console.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/paths.h"
#include "cli/lab.h"

#include <ctype.h>
#include <histedit.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

enum { HISTORY_SIZE = 1000 };

struct console {
    lab_t *lab; /* borrowed */
    const char *prompt;
    console_words_t first;
    console_words_t following;
    bool is_terminal;
    bool can_wait; /* the loop can tell when there is input */
    EditLine *editor;
    History *history;
    char *history_path;
};

/* ---- input --------------------------------------------------------------------------------- */

static void on_input(void *arg, int fd, uint32_t events)
{
    (void)fd, (void)events;
    ev_stop(arg);
}

/* Lets the loop run until there is input. */
static bool await_input(console_t *self)
{
    if (!self->can_wait)
        return true;
    ev_fd(lab_ev(self->lab), STDIN_FILENO, EPOLLIN, on_input, lab_ev(self->lab));
    int rc = lab_run(self->lab, NULL);
    ev_fd_end(lab_ev(self->lab), STDIN_FILENO);
    return rc == 0;
}

/* The next byte, or -1. */
static int read_byte(console_t *self)
{
    unsigned char byte;
    return await_input(self) && read(STDIN_FILENO, &byte, 1) == 1 ? byte : -1;
}

/* What libedit calls for each character. */
static int get_character(EditLine *editor, wchar_t *character)
{
    console_t *self = NULL;
    mbstate_t state = {0};
    el_get(editor, EL_CLIENTDATA, &self);
    for (;;) {
        int byte = read_byte(self);
        char text = (char)byte;
        if (byte < 0)
            return -1;
        size_t size = mbrtowc(character, &text, 1, &state);
        if (size == (size_t)-1) { /* not in this terminal's encoding */
            *character = L'?';
            return 1;
        }
        if (size != (size_t)-2)
            return 1;
    }
}

/* ---- completion ---------------------------------------------------------------------------- */

/* The longest text that all words beginning with `word` share, and how many they are. */
static size_t match(console_words_t words, const char *word, size_t size, char **common_p)
{
    size_t found = 0;
    for (size_t i = 0; i < words.count; i++) {
        const char *candidate = words.words[i];
        if (strncmp(candidate, word, size) != 0)
            continue;
        if (found++ == 0) {
            *common_p = xstrdup(candidate);
            continue;
        }
        size_t same = 0;
        while ((*common_p)[same] && (*common_p)[same] == candidate[same])
            same++;
        (*common_p)[same] = '\0';
    }
    return found;
}

static void list_matches(console_words_t words, const char *word, size_t size)
{
    putchar('\n');
    for (size_t i = 0; i < words.count; i++) {
        if (strncmp(words.words[i], word, size) == 0)
            printf("  %s\n", words.words[i]);
    }
    fflush(stdout);
}

static unsigned char complete(EditLine *editor, int character)
{
    console_t *self = NULL;
    (void)character;
    el_get(editor, EL_CLIENTDATA, &self);
    const LineInfo *line = el_line(editor);
    const char *word = line->cursor;
    while (word > line->buffer && !isspace((unsigned char)word[-1]))
        word--;
    size_t size = (size_t)(line->cursor - word);
    console_words_t words = word == line->buffer ? self->first : self->following;
    AUTO_FREE char *common = NULL;
    size_t found = match(words, word, size, &common);
    if (!found)
        return CC_ERROR;
    bool is_longer = strlen(common) > size;
    if (is_longer && el_insertstr(editor, common + size) < 0)
        return CC_ERROR;
    if (found > 1 && !is_longer) {
        list_matches(words, word, size);
        return CC_REDISPLAY;
    }
    return CC_REFRESH;
}

/* ---- reading ------------------------------------------------------------------------------- */

static char *trimmed(const char *text, size_t length)
{
    while (length && isspace((unsigned char)*text)) {
        text++;
        length--;
    }
    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    return xstrndup(text, length);
}

/* What an end of the line that is none means: Ctrl-C, or Ctrl-D, or that the program is to end. */
static char *read_nothing(console_t *self)
{
    bool is_thrown_away = lab_take_interrupt(self->lab) && !lab_is_ending(self->lab);
    puts(is_thrown_away ? "^C" : "");
    return is_thrown_away ? xstrdup("") : NULL;
}

static char *read_edited(console_t *self)
{
    int length = 0;
    const char *text = el_gets(self->editor, &length);
    if (!text || length <= 0)
        return read_nothing(self);
    char *line = trimmed(text, (size_t)length);
    HistEvent event;
    if (*line) {
        history(self->history, &event, H_ENTER, line);
        history(self->history, &event, H_SAVE, self->history_path);
    }
    return line;
}

/* Not from a terminal: what is read is shown, so that a transcript is complete. */
static char *read_plain(console_t *self)
{
    size_t length = 0;
    size_t capacity = 0;
    AUTO_FREE char *text = NULL;
    int byte;
    while ((byte = read_byte(self)) >= 0 && byte != '\n') {
        if (length + 1 >= capacity) {
            capacity = capacity ? 2 * capacity : 256;
            text = mem_check(realloc(text, capacity));
        }
        text[length++] = (char)byte;
    }
    if (byte < 0 && !length)
        return NULL;
    char *line = trimmed(text ? text : "", length);
    printf("%s%s\n", self->prompt, line);
    fflush(stdout);
    return line;
}

bool console_is_terminal(const console_t *self)
{
    return self->editor;
}

bool console_take_interrupt(console_t *self)
{
    return self->editor && lab_take_interrupt(self->lab) && !lab_is_ending(self->lab);
}

char *console_read(console_t *self)
{
    return self->editor ? read_edited(self) : read_plain(self);
}

/* ---- life cycle ---------------------------------------------------------------------------- */

static char *prompt_of(EditLine *editor)
{
    console_t *self = NULL;
    el_get(editor, EL_CLIENTDATA, &self);
    return (char *)self->prompt;
}

static void open_history(console_t *self)
{
    HistEvent event;
    AUTO_FREE char *state_dir = paths_state_dir(NULL);
    self->history_path = xasprintf("%s/history", state_dir ? state_dir : "/tmp");
    self->history = mem_check(history_init());
    history(self->history, &event, H_SETSIZE, HISTORY_SIZE);
    history(self->history, &event, H_SETUNIQUE, 1);
    history(self->history, &event, H_LOAD, self->history_path); /* there may be none yet */
}

static void open_editor(console_t *self)
{
    open_history(self);
    self->editor = mem_check(el_init("aiopslab", stdin, stdout, stderr));
    el_set(self->editor, EL_CLIENTDATA, self);
    el_set(self->editor, EL_PROMPT, prompt_of);
    el_set(self->editor, EL_EDITOR, "emacs");
    el_set(self->editor, EL_HIST, history, self->history);
    el_set(self->editor, EL_ADDFN, "aiopslab-complete", "Complete the word", complete);
    el_set(self->editor, EL_BIND, "^I", "aiopslab-complete", NULL);
    el_set(self->editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_set(self->editor, EL_GETCFN, get_character);
}

console_t *console_new(
    lab_t *lab, const char *prompt, console_words_t first, console_words_t following)
{
    console_t *self = xcalloc(1, sizeof(*self));
    struct stat status = {0};
    self->lab = lab;
    self->prompt = prompt;
    self->first = first;
    self->following = following;
    self->is_terminal = isatty(STDIN_FILENO);
    bool is_stream =
        fstat(STDIN_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
    self->can_wait = self->is_terminal || is_stream;
    if (self->is_terminal && isatty(STDOUT_FILENO))
        open_editor(self);
    return self;
}

void console_destroy(console_t **self_p)
{
    console_t *self = TAKE(*self_p);
    if (!self)
        return;
    if (self->editor) {
        el_end(self->editor);
        history_end(self->history);
    }
    free(self->history_path);
    free(self);
}
