cdef struct Found:
    int literal
    int start
    int end


cdef struct Step:
    int base
    int owner
    int fail
    int literals


cdef class Automaton:
    cdef readonly Py_ssize_t count
    cdef Py_ssize_t states
    cdef unsigned short *symbols
    cdef dict rare
    cdef Step *steps
    cdef int *outputs
    cdef int *links
    cdef int *next_same
    cdef int *lengths
    cdef Found *found
    cdef Py_ssize_t room

    cdef int build(self, list rows, list order) except -1
    cdef int place(self, const unsigned short *symbols, Py_ssize_t count, Py_ssize_t *first_free) except -1
    cdef int make_room(self, Py_ssize_t wanted) except -1
    cdef void chain(self, int *queue, unsigned short *read, Py_ssize_t count) noexcept
    cdef int symbol(self, unsigned int code) except -1
    cdef int note(self, Py_ssize_t count, int state, Py_ssize_t end) except -1
    cdef Py_ssize_t search(self, const unsigned int *codes, Py_ssize_t length) except -1


cdef class Words:
    cdef readonly Automaton automaton
    cdef unsigned char *bounds

    cdef Py_ssize_t search(
        self, const unsigned int *codes, const unsigned char *kinds, const int *clauses, Py_ssize_t length
    ) except -1
