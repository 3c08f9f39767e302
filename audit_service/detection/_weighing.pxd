from audit_service.detection._folding cimport FoldedTexts

ctypedef unsigned long long Hash


cdef struct Piece:
    unsigned int bucket
    int start
    int end


cdef struct Token:
    Hash hash
    int start
    int end


cdef class Pieces:
    cdef Piece *pieces
    cdef Py_ssize_t room
    cdef Token *tokens
    cdef Py_ssize_t token_room

    cdef Py_ssize_t cut(self, const unsigned int *codes, Py_ssize_t length) except -1
    cdef Py_ssize_t tokenize(self, const unsigned int *codes, Py_ssize_t length) except -1


cdef class Weigher:
    cdef readonly Py_ssize_t columns
    cdef Pieces cutter
    cdef Hash *known
    cdef unsigned int *ranks
    cdef float *heads
    cdef const unsigned short[:, ::1] weights
    cdef const float[::1] rarity
    cdef const float[::1] bias
    cdef int *rows
    cdef Py_ssize_t room
    cdef double length
    cdef double *sums

    cdef int row_of(self, unsigned int bucket) noexcept
    cdef Py_ssize_t read(self, const unsigned int *codes, Py_ssize_t length) except -1
    cdef void weigh_heads(self, Py_ssize_t count, float *odds) noexcept
    cdef void weigh_all(self, Py_ssize_t count, float *odds) noexcept
