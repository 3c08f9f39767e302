# Blocks of memory of the compiled modules; whoever claims one frees it with PyMem_Free.

from cpython.mem cimport PyMem_Malloc, PyMem_Realloc
from libc.string cimport memset


cdef inline void *claimed(Py_ssize_t size) except NULL:
    cdef void *block = PyMem_Malloc(size + 1)
    if block == NULL:
        raise MemoryError
    return block


cdef inline void *cleared(Py_ssize_t size) except NULL:
    cdef void *block = claimed(size)
    memset(block, 0, size + 1)
    return block


cdef inline void *grown(void *block, Py_ssize_t size) except NULL:
    cdef void *found = PyMem_Realloc(block, size)
    if found == NULL:
        raise MemoryError
    return found


cdef inline unsigned int *codes_of(str text) except NULL:
    cdef Py_ssize_t length = len(text), place
    cdef unsigned int *codes = <unsigned int *> claimed(length * sizeof(unsigned int))
    for place in range(length):
        codes[place] = <unsigned int> ord(text[place])
    return codes
