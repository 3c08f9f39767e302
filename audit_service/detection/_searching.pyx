"""An Aho-Corasick automaton over numbers (code points, or sounds) in a double array: all literals in one pass.

Aho and Corasick 1975; the double array is that of Aoe 1989: the step from state s by symbol c leads to slot
``base[s] + c``, if that slot belongs to s. Symbols are the code points that literals hold, numbered by how often.
"""

from cpython.mem cimport PyMem_Free

from audit_service.detection._folding cimport BLANK, CHINESE, LATIN, is_chinese
from audit_service.detection._memory cimport claimed, cleared, codes_of, grown

cdef enum:
    TABLE = 0x10000
    NOBODY = -1


cdef class Automaton:
    """Finds literals.

    Args:
        rows: each literal as a row of numbers; none of them empty.
    """

    def __cinit__(self, rows):
        cdef list literals = [tuple(row) for row in rows]
        if not all(literals):
            raise ValueError("an empty literal would stand everywhere")
        self.count = len(literals)
        self.rare = {}
        self.symbols = <unsigned short *> cleared(TABLE * sizeof(unsigned short))
        self.next_same = <int *> claimed(self.count * sizeof(int))
        self.lengths = <int *> claimed(self.count * sizeof(int))
        self.number_symbols(literals)
        numbered = [tuple([self.symbol(code) for code in row]) for row in literals]
        self.build(numbered, sorted(range(len(numbered)), key=numbered.__getitem__))

    def __dealloc__(self):
        PyMem_Free(self.symbols)
        PyMem_Free(self.steps)
        PyMem_Free(self.outputs)
        PyMem_Free(self.links)
        PyMem_Free(self.next_same)
        PyMem_Free(self.lengths)
        PyMem_Free(self.found)

    def matches(self, codes):
        """Return all places of literals in a row of numbers: (literal, start, end), by end."""
        cdef Py_ssize_t length = len(codes), place
        cdef unsigned int *row = <unsigned int *> claimed(length * sizeof(unsigned int))
        try:
            for place in range(length):
                row[place] = codes[place]
            found = self.search(row, length)
            return [(self.found[n].literal, self.found[n].start, self.found[n].end) for n in range(found)]
        finally:
            PyMem_Free(row)

    def number_symbols(self, literals):
        """Number the code points that literals hold, the most frequent first."""
        counts = {}
        for row in literals:
            for code in row:
                counts[code] = counts.get(code, 0) + 1
        if len(counts) >= TABLE:
            raise ValueError("too many different characters")
        for symbol, code in enumerate(sorted(counts, key=lambda code: (-counts[code], code)), 1):
            if code < TABLE:
                self.symbols[<Py_ssize_t> code] = symbol
            else:
                self.rare[code] = symbol

    cdef int symbol(self, unsigned int code) except -1:
        if code < TABLE:
            return self.symbols[code]
        return self.rare.get(code, 0) if self.rare else 0

    cdef int build(self, list rows, list order) except -1:
        """Lay out the states breadth first: those of one parent are a stretch of the literals in order."""
        cdef Py_ssize_t nodes = 1 + sum([len(row) for row in rows]), head = 0, tail = 1, first_free = 1
        cdef Py_ssize_t low, high, depth, begin, count, place
        cdef int *queue = NULL
        cdef int *spans = NULL
        cdef unsigned short *read = NULL
        cdef unsigned short *here = NULL
        cdef int state, base, symbol
        cdef tuple row
        try:
            queue = <int *> claimed(nodes * sizeof(int))
            spans = <int *> claimed(3 * nodes * sizeof(int))
            read = <unsigned short *> claimed((nodes + 1) * sizeof(unsigned short))
            here = <unsigned short *> claimed(TABLE * sizeof(unsigned short))
            self.make_room(1)
            self.steps[0].owner = 0
            queue[0], spans[0], spans[1], spans[2] = 0, 0, <int> len(rows), 0
            while head < tail:
                state = queue[head]
                low, high, depth = spans[3 * head], spans[3 * head + 1], spans[3 * head + 2]
                head += 1
                while low < high and len(<tuple> rows[order[low]]) == depth:
                    place = order[low]
                    self.lengths[place] = <int> depth
                    self.next_same[place] = self.outputs[state]
                    self.outputs[state] = <int> place
                    low += 1
                if low == high:
                    continue
                count = 0
                for place in range(low, high):
                    row = <tuple> rows[order[place]]
                    symbol = row[depth]
                    if count == 0 or here[count - 1] != symbol:
                        here[count] = symbol
                        spans[3 * (tail + count)], spans[3 * (tail + count) + 2] = <int> place, <int> depth + 1
                        count += 1
                    spans[3 * (tail + count - 1) + 1] = <int> place + 1
                base = self.place(here, count, &first_free)
                self.steps[state].base = base
                for begin in range(count):
                    self.steps[base + here[begin]].owner = state
                    # the parent of a state, until the chains are made
                    self.steps[base + here[begin]].fail = state
                    read[tail + begin] = here[begin]
                    queue[tail + begin] = base + here[begin]
                tail += count
            self.chain(queue, read, tail)
        finally:
            PyMem_Free(queue)
            PyMem_Free(spans)
            PyMem_Free(read)
            PyMem_Free(here)
        return 0

    cdef int place(self, const unsigned short *symbols, Py_ssize_t count, Py_ssize_t *first_free) except -1:
        """Return a base from which the slots of all ``symbols`` are free."""
        cdef Py_ssize_t slot, base, number
        while first_free[0] < self.states and self.steps[first_free[0]].owner != NOBODY:
            first_free[0] += 1
        slot = first_free[0] if first_free[0] > symbols[0] else symbols[0]
        while True:
            base = slot - symbols[0]
            self.make_room(base + symbols[count - 1] + 1)
            for number in range(count):
                if self.steps[base + symbols[number]].owner != NOBODY:
                    break
            else:
                return <int> base
            slot += 1

    cdef int make_room(self, Py_ssize_t wanted) except -1:
        cdef Py_ssize_t room = self.states, slot
        # every step must lead to a slot that exists: there are fewer symbols than the table has
        wanted += 1
        if wanted <= room:
            return 0
        room = max(wanted, room + room // 4 + 1024)
        self.steps = <Step *> grown(self.steps, room * sizeof(Step))
        self.outputs = <int *> grown(self.outputs, room * sizeof(int))
        self.links = <int *> grown(self.links, room * sizeof(int))
        for slot in range(self.states, room):
            self.steps[slot].base = 0
            self.steps[slot].owner = NOBODY
            self.steps[slot].fail = 0
            self.steps[slot].literals = NOBODY
            self.outputs[slot] = self.links[slot] = NOBODY
        self.states = room
        return 0

    cdef void chain(self, int *queue, unsigned short *read, Py_ssize_t count) noexcept:
        """Say of each state which is that of its longest proper suffix, and the next suffix that is a literal."""
        cdef Py_ssize_t number
        cdef int state, fail, slot
        for number in range(1, count):
            state = queue[number]
            fail = self.steps[state].fail
            while fail != 0:
                fail = self.steps[fail].fail
                slot = self.steps[fail].base + read[number]
                if slot < self.states and slot != state and self.steps[slot].owner == fail and slot != 0:
                    fail = slot
                    break
            self.steps[state].fail = fail
            self.links[state] = self.steps[fail].literals
            self.steps[state].literals = state if self.outputs[state] != NOBODY else self.links[state]

    cdef int note(self, Py_ssize_t count, int state, Py_ssize_t end) except -1:
        """Note the literals that end here; return how many."""
        cdef int literal
        cdef Py_ssize_t noted = count
        while state != NOBODY:
            literal = self.outputs[state]
            while literal != NOBODY:
                if noted == self.room:
                    self.room = 256 if self.room == 0 else 2 * self.room
                    self.found = <Found *> grown(self.found, self.room * sizeof(Found))
                self.found[noted].literal = literal
                self.found[noted].start = <int> end - self.lengths[literal]
                self.found[noted].end = <int> end
                noted += 1
                literal = self.next_same[literal]
            state = self.links[state]
        return <int> (noted - count)

    cdef Py_ssize_t search(self, const unsigned int *codes, Py_ssize_t length) except -1:
        """Fill ``found``, by end; return how many."""
        cdef Py_ssize_t place, count = 0
        cdef int state = 0, slot
        cdef unsigned int symbol
        cdef const Step *steps = self.steps
        for place in range(length):
            symbol = self.symbols[codes[place]] if codes[place] < TABLE else <unsigned int> self.symbol(codes[place])
            if symbol == 0:
                state = 0
                continue
            while True:
                slot = steps[state].base + <int> symbol
                if slot < self.states and steps[slot].owner == state:
                    state = slot
                    break
                if state == 0:
                    break
                state = steps[state].fail
            if steps[state].literals != NOBODY:
                count += self.note(count, steps[state].literals, place + 1)
        return count


cdef enum:
    BEGINS_LATIN = 1
    ENDS_LATIN = 2


cdef class Words:
    """Finds words as wholes: Latin ones between blanks or Chinese characters, Chinese ones within one clause.

    Args:
        literals: folded; one with a trailing asterisk matches the beginning of a word.
    """

    def __cinit__(self, literals):
        cdef Py_ssize_t number
        plain = [literal.rstrip("*") for literal in literals]
        self.automaton = Automaton([[ord(sign) for sign in literal] for literal in plain])
        self.bounds = <unsigned char *> claimed(len(plain))
        for number, literal in enumerate(plain):
            self.bounds[number] = BEGINS_LATIN * (not is_chinese(ord(literal[0])))
            if not literals[number].endswith("*") and not is_chinese(ord(literal[len(literal) - 1])):
                self.bounds[number] |= ENDS_LATIN

    def __dealloc__(self):
        PyMem_Free(self.bounds)

    def places(self, str text, clauses):
        """Return where the words stand in a folded text: (number of the word, start, end), by end.

        Args:
            text: folded.
            clauses: the number of the clause of each character.
        """
        cdef Py_ssize_t length = len(text), place, count
        cdef unsigned int *codes = codes_of(text)
        cdef unsigned char *kinds = NULL
        cdef int *rows = NULL
        cdef Found *found
        try:
            kinds = <unsigned char *> claimed(length)
            rows = <int *> claimed(length * sizeof(int))
            for place in range(length):
                rows[place] = clauses[place]
                kinds[place] = BLANK if codes[place] == c' ' else CHINESE if is_chinese(codes[place]) else LATIN
            count = self.search(codes, kinds, rows, length)
            found = self.automaton.found
            return [(found[place].literal, found[place].start, found[place].end) for place in range(count)]
        finally:
            PyMem_Free(codes)
            PyMem_Free(kinds)
            PyMem_Free(rows)

    cdef Py_ssize_t search(
        self, const unsigned int *codes, const unsigned char *kinds, const int *clauses, Py_ssize_t length
    ) except -1:
        """Leave in the automaton's ``found`` the places of words; return how many."""
        cdef Py_ssize_t count = self.automaton.search(codes, length), number, kept = 0
        cdef Found *found = self.automaton.found
        cdef Found here
        for number in range(count):
            here = found[number]
            if self.bounds[here.literal] & BEGINS_LATIN:
                if here.start > 0 and kinds[here.start - 1] == LATIN:
                    continue
            elif clauses[here.start] != clauses[here.end - 1]:
                continue
            if self.bounds[here.literal] & ENDS_LATIN and here.end < length and kinds[here.end] == LATIN:
                continue
            found[kept] = here
            kept += 1
        return kept
