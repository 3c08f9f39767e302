"""Short pieces of folded texts as numbers, and the sums of their weights; see pieces.py and wordings.py."""

from cpython.mem cimport PyMem_Free
from libc.math cimport INFINITY, sqrt
from libc.string cimport memset

from audit_service.detection._folding cimport FoldedTexts, is_chinese
from audit_service.detection._memory cimport claimed, cleared, codes_of, grown

BUCKET_BITS = 22

cdef enum:
    BITS = 22
    WORDS = 65536
    LONGEST_RUN = 3
    WINDOW = 4
    HEAD = 4

cdef Hash BASE = 0x9E3779B97F4A7C15ULL
cdef Hash MIX = 0xFF51AFD7ED558CCDULL
cdef Hash EDGE = 0x23
cdef Hash[4] SALTS
SALTS[0] = 0x1B873593CC9E2D51ULL
SALTS[1] = 0xC2B2AE3D27D4EB4FULL
SALTS[2] = 0x165667B19E3779F9ULL
SALTS[3] = 0x85EBCA77C2B2AE63ULL

cdef extern from *:
    """
    #define ones(bits) __builtin_popcountll(bits)
    static float of_half(unsigned short half) {
        union { unsigned int bits; float value; } made;
        unsigned int sign = (unsigned int)(half & 0x8000) << 16, exponent = (half >> 10) & 31, rest = half & 1023;
        if (exponent == 0) {
            made.value = (float)rest * 5.9604644775390625e-8f;
            made.bits |= sign;
        } else {
            made.bits = sign | (exponent == 31 ? 0x7F800000u : (exponent + 112) << 23) | (rest << 13);
        }
        return made.value;
    }
    """
    int ones(Hash bits) noexcept nogil
    float of_half(unsigned short half) noexcept nogil


cdef inline unsigned int bucket_of(Hash hash) noexcept nogil:
    return <unsigned int> (((hash ^ (hash >> 32)) * MIX) >> (64 - BITS))


cdef inline bint is_latin(unsigned int code) noexcept nogil:
    return code != c' ' and code != c'\n' and not is_chinese(code)


cdef class Pieces:
    """Cuts folded texts into pieces."""

    def __dealloc__(self):
        PyMem_Free(self.pieces)
        PyMem_Free(self.tokens)

    def of(self, texts):
        """Return four rows of 64-bit numbers as bytes: the bucket, text, start and end of each piece."""
        rows = [[], [], [], []]
        cdef Py_ssize_t number, place
        cdef unsigned int *codes
        for number, text in enumerate(texts):
            codes = codes_of(text)
            try:
                for place in range(self.cut(codes, len(text))):
                    rows[0].append(self.pieces[place].bucket)
                    rows[1].append(number)
                    rows[2].append(self.pieces[place].start)
                    rows[3].append(self.pieces[place].end)
            finally:
                PyMem_Free(codes)
        return rows

    cdef Py_ssize_t tokenize(self, const unsigned int *codes, Py_ssize_t length) except -1:
        """Fill ``tokens``: each Chinese character, each run of other letters and digits; return how many."""
        cdef Py_ssize_t place = 0, count = 0
        cdef Hash hash, power
        while place < length:
            if codes[place] == c' ' or codes[place] == c'\n':
                place += 1
                continue
            self.tokens[count].start = <int> place
            hash = codes[place]
            place += 1
            if not is_chinese(codes[place - 1]):
                power = BASE
                while place < length and is_latin(codes[place]):
                    hash += codes[place] * power
                    power *= BASE
                    place += 1
            self.tokens[count].hash = hash
            self.tokens[count].end = <int> place
            count += 1
        return count

    cdef Py_ssize_t cut(self, const unsigned int *codes, Py_ssize_t length) except -1:
        """Fill ``pieces``: runs of one token, of two, of three, then windows of letters; return how many."""
        if self.token_room < length:
            self.token_room = 2 * length
            self.tokens = <Token *> grown(self.tokens, self.token_room * sizeof(Token))
        if self.room < 4 * length + 4:
            self.room = 8 * length + 8
            self.pieces = <Piece *> grown(self.pieces, self.room * sizeof(Piece))
        cdef Py_ssize_t tokens = self.tokenize(codes, length), place, count = 0
        cdef Token *token = self.tokens
        cdef Piece *piece = self.pieces
        cdef bint[4] latin
        cdef Hash hash
        for place in range(tokens):
            piece[count] = Piece(bucket_of(token[place].hash * SALTS[0]), token[place].start, token[place].end)
            count += 1
        for place in range(tokens - 1):
            hash = token[place].hash * BASE + token[place + 1].hash
            piece[count] = Piece(bucket_of(hash * SALTS[1]), token[place].start, token[place + 1].end)
            count += 1
        for place in range(tokens - 2):
            hash = (token[place].hash * BASE + token[place + 1].hash) * BASE + token[place + 2].hash
            piece[count] = Piece(bucket_of(hash * SALTS[2]), token[place].start, token[place + 2].end)
            count += 1
        if length < 2:
            return count
        latin[0], latin[1], latin[2] = False, is_latin(codes[0]), is_latin(codes[1])
        for place in range(-1, length - WINDOW + 2):
            latin[3] = place + 3 < length and is_latin(codes[place + 3])
            if latin[1] and latin[2] and (latin[0] or latin[3]):
                hash = (<Hash> codes[place] if latin[0] else EDGE) + codes[place + 1] * BASE
                hash += codes[place + 2] * BASE * BASE
                hash += (<Hash> codes[place + 3] if latin[3] else EDGE) * BASE * BASE * BASE
                piece[count] = Piece(bucket_of(hash * SALTS[3]), <int> place, <int> place + WINDOW)
                count += 1
            latin[0], latin[1], latin[2] = latin[1], latin[2], latin[3]
        return count


cdef class Weigher:
    """The sums of a linear model.

    Args:
        buckets: ascending, each once.
        rarity: of each bucket.
        weights: of each bucket, a column a category; the bits of 16-bit floating-point numbers. Last: any conduct,
            any signal.
        bias: of each column.
    """

    def __cinit__(self, buckets, rarity, weights, bias):
        cdef Py_ssize_t number, bucket, total = 0
        cdef const long long[::1] ordered = buckets
        self.cutter = Pieces()
        self.rarity, self.weights, self.bias = rarity, weights, bias
        self.columns = self.weights.shape[1]
        self.known = <Hash *> cleared(WORDS * sizeof(Hash))
        self.ranks = <unsigned int *> claimed(WORDS * sizeof(unsigned int))
        self.heads = <float *> claimed((ordered.shape[0] + 1) * HEAD * sizeof(float))
        self.sums = <double *> claimed(self.columns * sizeof(double))
        for number in range(ordered.shape[0]):
            bucket = ordered[number]
            self.known[bucket >> 6] |= (<Hash> 1) << (bucket & 63)
            self.heads[HEAD * number] = self.rarity[number] * self.rarity[number]
            for column in range(2):
                self.heads[HEAD * number + 1 + column] = (
                    of_half(self.weights[number, self.columns - 2 + column]) * self.rarity[number]
                )
        for number in range(WORDS):
            self.ranks[number] = <unsigned int> total
            total += ones(self.known[number])

    def __dealloc__(self):
        PyMem_Free(self.known)
        PyMem_Free(self.ranks)
        PyMem_Free(self.heads)
        PyMem_Free(self.sums)
        PyMem_Free(self.rows)

    def odds(self, texts, float[:, ::1] into):
        """Write the log-odds of every column of the folded ``texts`` into a row a text."""
        cdef unsigned int *codes
        cdef Py_ssize_t number
        for number, text in enumerate(texts):
            codes = codes_of(text)
            try:
                self.weigh_all(self.read(codes, len(text)), &into[number, 0])
            finally:
                PyMem_Free(codes)

    def pieces(self, str text, Py_ssize_t column):
        """Return the pieces of a folded text that the model knows: (start, end, weight in the column) each."""
        cdef unsigned int *codes = codes_of(text)
        cdef Py_ssize_t place
        cdef int row
        found = []
        try:
            for place in range(self.cutter.cut(codes, len(text))):
                row = self.row_of(self.cutter.pieces[place].bucket)
                if row >= 0:
                    weight = of_half(self.weights[row, column]) * self.rarity[row]
                    found.append((self.cutter.pieces[place].start, self.cutter.pieces[place].end, weight))
        finally:
            PyMem_Free(codes)
        return found

    def may_propose(self, FoldedTexts texts, rules, is_asked, float asked_from):
        """Tell of each text whether the model may propose something.

        Args:
            texts: folded.
            rules: (column, column of the two last, least log-odds in both, least where the reader is asked) each.
            is_asked: whether the reader is asked where there may be conduct, and where there may be signals.
            asked_from: least log-odds at which it is asked.
        """
        cdef Py_ssize_t number, count
        cdef bint asks_conduct = is_asked[0], asks_signal = is_asked[1], asked
        cdef float lowest = min([min(rule[2], rule[3]) for rule in rules], default=INFINITY)
        cdef float *row = <float *> claimed(self.columns * sizeof(float))
        cdef float[2] heads
        found = bytearray(texts.count)
        try:
            for number in range(texts.count):
                count = self.read(texts.codes + texts.bounds[number], texts.bounds[number + 1] - texts.bounds[number])
                self.weigh_heads(count, heads)
                if heads[0] < lowest and heads[1] < lowest:
                    continue
                if not [rule for rule in rules if heads[<Py_ssize_t> rule[1]] >= min(rule[2], rule[3])]:
                    continue
                asked = (asks_conduct and heads[0] >= asked_from) or (asks_signal and heads[1] >= asked_from)
                self.weigh_all(count, row)
                for column, head, least, least_asked in rules:
                    least = least_asked if asked else least
                    if row[<Py_ssize_t> column] >= least and heads[<Py_ssize_t> head] >= least:
                        found[number] = True
                        break
        finally:
            PyMem_Free(row)
        return found

    cdef int row_of(self, unsigned int bucket) noexcept:
        """Return the row of a bucket; -1 if the model does not know it."""
        cdef Hash word = self.known[bucket >> 6], bit = (<Hash> 1) << (bucket & 63)
        if not word & bit:
            return -1
        return <int> (self.ranks[bucket >> 6] + ones(word & (bit - 1)))

    cdef Py_ssize_t read(self, const unsigned int *codes, Py_ssize_t length) except -1:
        """Fill ``rows`` with those of the pieces of a text, and set the length of its vector; return how many."""
        cdef Py_ssize_t pieces = self.cutter.cut(codes, length), place, count = 0
        cdef unsigned int bucket
        cdef const Piece *piece = self.cutter.pieces
        cdef double square = 0.0
        if self.room < pieces + 1:
            self.room = 2 * pieces + 1
            self.rows = <int *> grown(self.rows, self.room * sizeof(int))
        # without a branch, since nothing foretells which pieces are known
        for place in range(pieces):
            bucket = piece[place].bucket
            self.rows[count] = <int> bucket
            count += (self.known[bucket >> 6] >> (bucket & 63)) & 1
        for place in range(count):
            self.rows[place] = self.row_of(<unsigned int> self.rows[place])
        for place in range(count):
            square += self.heads[HEAD * self.rows[place]]
        self.length = sqrt(square if square > 1e-9 else 1e-9)
        return count

    cdef void weigh_heads(self, Py_ssize_t count, float *odds) noexcept:
        """Set the log-odds of the two last columns, for the rows that were read."""
        cdef double first = 0.0, second = 0.0
        cdef Py_ssize_t place
        cdef const float *head
        for place in range(count):
            head = self.heads + HEAD * self.rows[place]
            first += head[1]
            second += head[2]
        odds[0] = <float> (first / self.length + self.bias[self.columns - 2])
        odds[1] = <float> (second / self.length + self.bias[self.columns - 1])

    cdef void weigh_all(self, Py_ssize_t count, float *odds) noexcept:
        """Set the log-odds of all columns, for the rows that were read."""
        cdef Py_ssize_t place, column
        cdef const unsigned short *weights
        cdef float rarity
        memset(self.sums, 0, self.columns * sizeof(double))
        for place in range(count):
            weights = &self.weights[self.rows[place], 0]
            rarity = self.rarity[self.rows[place]]
            for column in range(self.columns):
                self.sums[column] += <float> (of_half(weights[column]) * rarity)
        for column in range(self.columns):
            odds[column] = <float> (self.sums[column] / self.length + self.bias[column])
