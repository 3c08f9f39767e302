"""The fold of many texts, character by character, into plain rows of numbers; see folding.py for what it does."""

from cpython.mem cimport PyMem_Free
from cpython.unicode cimport PyUnicode_DATA, PyUnicode_KIND, PyUnicode_READ, PyUnicode_READ_CHAR
from libc.string cimport memset

from audit_service.detection._memory cimport claimed, grown

cdef extern from "Python.h":
    object PyUnicode_FromKindAndData(int kind, const void *buffer, Py_ssize_t size)
    bint Py_UNICODE_ISDIGIT(Py_UCS4 code)
    enum:
        PyUnicode_4BYTE_KIND

# Kinds of characters as written. KEPT: it stays. MANY: look it up; PAIRED: it may begin a character taken apart.
cdef enum:
    UNREAD = 0
    KEPT = 1
    LEET_ORDINARY = 2
    LEET_ODD = 3
    DOT = 4
    SENTENCE = 5
    CLAUSE = 6
    JOINING = 7
    SPACE = 8
    SILENT = 9
    ODD = 10
    ORDINARY = 11
    MANY = 12
    PAIRED = 13
    TABLE = 0x10000
    SPELLED_LETTERS = 3
    LONGEST_SYLLABLE = 6

_KINDS = {
    "kept": KEPT, "leet_ordinary": LEET_ORDINARY, "leet_odd": LEET_ODD, "dot": DOT, "sentence": SENTENCE,
    "clause": CLAUSE, "joining": JOINING, "space": SPACE, "silent": SILENT, "odd": ODD, "ordinary": ORDINARY,
}


cdef bint is_chinese(unsigned int code) noexcept nogil:
    return 0x3400 <= code <= 0x9FFF or 0x20000 <= code <= 0x3FFFF


cdef inline bint is_small_letter(unsigned int code) noexcept nogil:
    return c'a' <= code <= c'z'


cdef inline bint is_digit(unsigned int code) noexcept nogil:
    return c'0' <= code <= c'9'


cdef inline bint is_letter(unsigned int code) noexcept nogil:
    return code < 128 and c'a' <= (code | 32) <= c'z'


cdef class Alphabet:
    """What each character is and folds to, asked of Python once a character.

    Args:
        read: returns the parts of a character: (kind, folded character) each.
        pairs: two characters written for one.
        is_syllable: tells whether Latin letters are a syllable of Mandarin.
        unleeted: returns a word of small Latin letters and digits with letters for the digits that look like them.
    """

    def __cinit__(self, read, pairs, is_syllable, unleeted):
        self.kinds = <unsigned char *> claimed(TABLE)
        self.folded = <unsigned int *> claimed(TABLE * sizeof(unsigned int))
        memset(self.kinds, UNREAD, TABLE)
        self.known = {}
        self.pairs = dict(pairs)
        self.read = read
        self.is_syllable = is_syllable
        self.unleeted = unleeted
        for pair in self.pairs:
            self.kinds[<Py_ssize_t> ord(pair[0])] = PAIRED

    def __dealloc__(self):
        PyMem_Free(self.kinds)
        PyMem_Free(self.folded)

    cdef unsigned char kind_of(self, unsigned int code) except 255:
        """Ask what a character of the table is, which was not read before."""
        cdef unsigned char kind = MANY
        cdef tuple parts = self.parts_of(code)
        if len(parts) == 1:
            kind, self.folded[code] = parts[0]
        self.kinds[code] = kind
        return kind

    cdef tuple parts_of(self, unsigned int code):
        parts = self.known.get(code)
        if parts is None:
            parts = tuple((_KINDS[kind], ord(folded)) for kind, folded in self.read(chr(code)))
            self.known[code] = parts
        return <tuple> parts


cdef class FoldedTexts:
    """Folded texts, one after the other."""

    def __cinit__(self, Alphabet alphabet, texts):
        self.alphabet = alphabet
        cdef Py_ssize_t wanted = len(texts)
        self.bounds = <Py_ssize_t *> claimed((wanted + 1) * sizeof(Py_ssize_t))
        self.noise = <int *> claimed(wanted * sizeof(int))
        self.evades = <unsigned char *> claimed(wanted)
        self.bounds[0] = 0
        for text in texts:
            self.fold(text)
            self.noise[self.count] = self.hidden
            self.evades[self.count] = self.hidden > 0 or self.hides_pinyin()
            self.count += 1
            self.bounds[self.count] = self.size

    def __dealloc__(self):
        PyMem_Free(self.codes)
        PyMem_Free(self.starts)
        PyMem_Free(self.ends)
        PyMem_Free(self.steps)
        PyMem_Free(self.sentences)
        PyMem_Free(self.clauses)
        PyMem_Free(self.kinds)
        PyMem_Free(self.bounds)
        PyMem_Free(self.noise)
        PyMem_Free(self.evades)

    def line(self, Py_ssize_t number):
        """Return a folded text."""
        if not 0 <= number < self.count:
            raise IndexError(number)
        cdef Py_ssize_t begin = self.bounds[number]
        return PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, self.codes + begin, self.bounds[number + 1] - begin)

    def hides(self, Py_ssize_t number):
        """Tell whether something in a text shows that its writer evades."""
        if not 0 <= number < self.count:
            raise IndexError(number)
        return bool(self.evades[number])

    def rows(self, Py_ssize_t number):
        """Return the text, starts, ends, steps, sentences and clauses of its characters, and its noise."""
        line = self.line(number)
        cdef Py_ssize_t begin = self.bounds[number], end = self.bounds[number + 1]
        return (
            line,
            row_of(self.starts, begin, end),
            row_of(self.ends, begin, end),
            row_of(self.steps, begin, end),
            row_of(self.sentences, begin, end),
            row_of(self.clauses, begin, end),
            self.noise[number],
        )

    cdef int grow(self) except -1:
        cdef Py_ssize_t room = 4096 if self.room == 0 else 2 * self.room
        self.codes = <unsigned int *> grown(self.codes, room * sizeof(unsigned int))
        self.starts = <int *> grown(self.starts, room * sizeof(int))
        self.ends = <int *> grown(self.ends, room * sizeof(int))
        self.steps = <int *> grown(self.steps, room * sizeof(int))
        self.sentences = <int *> grown(self.sentences, room * sizeof(int))
        self.clauses = <int *> grown(self.clauses, room * sizeof(int))
        self.kinds = <unsigned char *> grown(self.kinds, room)
        self.room = room
        return 0

    cdef int fold(self, str text) except -1:
        cdef Py_ssize_t place = 0, length = len(text)
        cdef int width = PyUnicode_KIND(text)
        cdef void *data = PyUnicode_DATA(text)
        cdef unsigned int code
        cdef unsigned char kind
        cdef Alphabet alphabet = self.alphabet
        self.first = self.size
        self.sentence = self.clause = self.hidden = 0
        self.space = self.gap = self.signs = self.odd_signs = False
        while place < length:
            code = PyUnicode_READ(width, data, place)
            kind = alphabet.kinds[code] if code < TABLE else <unsigned char> MANY
            if kind == UNREAD:
                kind = alphabet.kind_of(code)
            if kind == KEPT and not (self.space or self.gap or self.signs) and self.size < self.room:
                self.put(alphabet.folded[code], <int> place, <int> place + 1)
            elif kind == KEPT:
                self.keep(alphabet.folded[code], <int> place, <int> place + 1)
            elif kind == PAIRED or kind == MANY:
                whole = alphabet.pairs.get(text[place:place + 2]) if kind == PAIRED else None
                if whole is not None:
                    self.hidden += 1
                    self.keep(<unsigned int> ord(whole), <int> place, <int> place + 2)
                    place += 1
                else:
                    for part, folded in alphabet.parts_of(code):
                        self.take(part, folded, text, place)
            else:
                self.take(kind, alphabet.folded[code], text, place)
            place += 1
        self.unleet()
        self.join_spelled_words()
        self.count_steps()
        return 0

    cdef int take(self, unsigned char kind, unsigned int code, str text, Py_ssize_t place) except -1:
        if kind == KEPT:
            self.keep(code, <int> place, <int> place + 1)
        elif kind == DOT:
            # A full stop ends a sentence, unless it stands between two characters, as in 法.院 or U.S.
            if place + 1 < len(text) and self.size > self.first and not text[place + 1].isspace():
                self.space = self.signs = True
            else:
                self.boundary(True)
        elif kind == SENTENCE:
            self.boundary(True)
        elif kind == CLAUSE:
            self.boundary(False)
        elif kind == SPACE:
            self.space = self.gap = True
        elif kind == JOINING:
            self.signs = self.odd_signs = True
        elif kind == LEET_ORDINARY or kind == LEET_ODD:
            if 0 < place < len(text) - 1 and is_letter(PyUnicode_READ_CHAR(text, place - 1)) and is_letter(
                PyUnicode_READ_CHAR(text, place + 1)
            ):
                self.keep(code, <int> place, <int> place + 1)
                self.hidden += 1
            else:
                self.space = self.signs = True
                self.odd_signs |= kind == LEET_ODD
        elif kind != SILENT:
            self.space = self.signs = True
            self.odd_signs |= kind == ODD
        return 0

    cdef void boundary(self, bint is_sentence) noexcept:
        self.clause += 1
        self.sentence += is_sentence
        self.space = True
        self.gap = self.signs = self.odd_signs = False

    cdef int keep(self, unsigned int code, int start, int end) except -1:
        cdef unsigned int before
        cdef bint chinese = is_chinese(code), chinese_before
        if self.size > self.first:
            before = self.codes[self.size - 1]
            chinese_before = is_chinese(before)
            if self.signs and not self.gap and self.clauses[self.size - 1] == self.clause:
                if chinese and chinese_before:
                    self.hidden += 1
                elif not chinese and not chinese_before and self.odd_signs:
                    self.hidden += not Py_UNICODE_ISDIGIT(before) and not Py_UNICODE_ISDIGIT(code)
            if self.space and not chinese and not chinese_before:
                self.append(c' ', start, start)
        self.space = self.gap = self.signs = self.odd_signs = False
        return self.append(code, start, end)

    cdef int append(self, unsigned int code, int start, int end) except -1:
        if self.size == self.room:
            self.grow()
        self.put(code, start, end)
        return 0

    cdef void put(self, unsigned int code, int start, int end) noexcept:
        cdef Py_ssize_t here = self.size
        self.codes[here] = code
        self.starts[here] = start
        self.ends[here] = end
        self.sentences[here] = self.sentence
        self.clauses[here] = self.clause
        self.size += 1

    cdef int unleet(self) except -1:
        """Read digits that stand for letters as these letters (arr3st); words are asked about in Python."""
        cdef Py_ssize_t place, begin = self.first, end
        cdef bint letters, digits
        while begin < self.size:
            end = begin
            letters = digits = False
            while end < self.size and (is_small_letter(self.codes[end]) or is_digit(self.codes[end])):
                letters |= is_small_letter(self.codes[end])
                digits |= is_digit(self.codes[end])
                end += 1
            if letters and digits:
                word = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, self.codes + begin, end - begin)
                plain = self.alphabet.unleeted(word)
                if plain != word:
                    for place in range(begin, end):
                        self.hidden += self.codes[place] != <unsigned int> ord(plain[place - begin])
                        self.codes[place] = <unsigned int> ord(plain[place - begin])
            begin = end + 1
        return 0

    cdef int join_spelled_words(self) except -1:
        """Drop the spaces of three or more single letters in a row (a r r e s t)."""
        cdef Py_ssize_t place = self.first, here = self.first, first, last
        cdef Py_ssize_t singles
        cdef bint dropped = False
        while place < self.size:
            singles = 0
            last = place
            while last < self.size and self.is_single(last):
                singles += 1
                last += 2
            if singles >= SPELLED_LETTERS:
                dropped = True
                for first in range(place, last - 1):
                    if (first - place) % 2 == 0:
                        self.move(first, here)
                        here += 1
                place = last - 1
            elif singles:
                for first in range(place, last - 1):
                    self.move(first, here)
                    here += 1
                place = last - 1
            else:
                self.move(place, here)
                here += 1
                place += 1
        self.size = here
        self.hidden += dropped
        return 0

    cdef bint is_single(self, Py_ssize_t place) noexcept:
        return (
            is_letter(self.codes[place])
            and (place == self.first or self.codes[place - 1] == c' ')
            and (place + 1 == self.size or self.codes[place + 1] == c' ')
        )

    cdef void move(self, Py_ssize_t place, Py_ssize_t to) noexcept:
        if place != to:
            self.codes[to] = self.codes[place]
            self.starts[to] = self.starts[place]
            self.ends[to] = self.ends[place]
            self.sentences[to] = self.sentences[place]
            self.clauses[to] = self.clauses[place]

    cdef void count_steps(self) noexcept:
        cdef Py_ssize_t place
        cdef int step = 0
        cdef bint in_word = False
        cdef unsigned int code
        for place in range(self.first, self.size):
            code = self.codes[place]
            if code == c' ':
                self.kinds[place] = BLANK
                in_word = False
            elif is_chinese(code):
                self.kinds[place] = CHINESE
                step += 1
                in_word = False
            else:
                self.kinds[place] = LATIN
                step += not in_word
                in_word = True
            self.steps[place] = step

    cdef bint hides_pinyin(self) except -1:
        """Tell whether Latin letters beside Chinese characters spell a syllable (fa院)."""
        cdef Py_ssize_t begin = self.first, end
        while begin < self.size:
            if not c'a' <= self.codes[begin] <= c'z':
                begin += 1
                continue
            end = begin + 1
            while end < self.size and c'a' <= self.codes[end] <= c'z':
                end += 1
            if 2 <= end - begin <= LONGEST_SYLLABLE and (
                (begin > self.first and 0x3400 <= self.codes[begin - 1] <= 0x9FFF)
                or (end < self.size and 0x3400 <= self.codes[end] <= 0x9FFF)
            ):
                run = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, self.codes + begin, end - begin)
                if self.alphabet.is_syllable(run):
                    return True
            begin = end
        return False


def count_steps(str text):
    """Return the running number of Chinese characters and Latin words up to and with each character."""
    cdef list steps = []
    cdef long step = 0
    cdef bint in_word = False
    cdef Py_UCS4 code
    for code in text:
        if code == c' ':
            in_word = False
        elif is_chinese(code):
            step += 1
            in_word = False
        else:
            step += not in_word
            in_word = True
        steps.append(step)
    return tuple(steps)



cdef tuple row_of(const int *values, Py_ssize_t begin, Py_ssize_t end):
    return tuple([values[place] for place in range(begin, end)])
