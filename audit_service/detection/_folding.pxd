cdef enum Kind:
    BLANK = 0
    CHINESE = 1
    LATIN = 2


cdef class Alphabet:
    cdef unsigned char *kinds
    cdef unsigned int *folded
    cdef dict known
    cdef dict pairs
    cdef object read
    cdef object is_syllable
    cdef object unleeted

    cdef unsigned char kind_of(self, unsigned int code) except 255
    cdef tuple parts_of(self, unsigned int code)


cdef class FoldedTexts:
    cdef readonly Py_ssize_t count
    cdef Alphabet alphabet
    cdef Py_ssize_t size
    cdef Py_ssize_t room
    cdef unsigned int *codes
    cdef int *starts
    cdef int *ends
    cdef int *steps
    cdef int *sentences
    cdef int *clauses
    cdef unsigned char *kinds
    cdef Py_ssize_t *bounds
    cdef int *noise
    cdef unsigned char *evades
    # where the text that is being folded began, and what was read since its last letter
    cdef Py_ssize_t first
    cdef int sentence
    cdef int clause
    cdef int hidden
    cdef bint space
    cdef bint gap
    cdef bint signs
    cdef bint odd_signs

    cdef int grow(self) except -1
    cdef int fold(self, str text) except -1
    cdef int take(self, unsigned char kind, unsigned int code, str text, Py_ssize_t place) except -1
    cdef int keep(self, unsigned int code, int start, int end) except -1
    cdef int append(self, unsigned int code, int start, int end) except -1
    cdef void put(self, unsigned int code, int start, int end) noexcept
    cdef void boundary(self, bint is_sentence) noexcept
    cdef int unleet(self) except -1
    cdef int join_spelled_words(self) except -1
    cdef void count_steps(self) noexcept
    cdef bint is_single(self, Py_ssize_t place) noexcept
    cdef void move(self, Py_ssize_t place, Py_ssize_t to) noexcept
    cdef bint hides_pinyin(self) except -1


cdef bint is_chinese(unsigned int code) noexcept nogil
