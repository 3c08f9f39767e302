from audit_service.detection._searching cimport Automaton


cdef struct Sound:
    int spoken
    int key
    int start
    int end


cdef struct Echo:
    int literal
    int start
    int end
    int wrong
    int confused


cdef struct Spoken:
    int literal
    int first
    int count


cdef struct Entry:
    int word
    int offset


cdef class SoundIndex:
    cdef Automaton automaton
    cdef Ear ear
    cdef bint is_mandarin
    cdef Spoken *words
    cdef Entry *entries
    cdef int *spoken
    cdef int *keys
    cdef list said

    cdef int add_echoes(self, str text, const int *clauses) except -1
    cdef int verify(self, str text, const int *clauses, Py_ssize_t first, Spoken *word, Echo *echo) except -1
    cdef bint is_alike(self, str text, Py_ssize_t first, Spoken *word) except -1


cdef class Ear:
    cdef SoundIndex mandarin
    cdef SoundIndex english
    cdef list literals
    cdef object read_character
    cdef object read_letters
    cdef object read_word
    cdef object are_alike
    cdef dict spoken_ids
    cdef dict key_ids
    cdef dict letters
    cdef dict english_words
    cdef dict characters
    cdef Sound *sounds
    cdef unsigned int *keys
    cdef Py_ssize_t count
    cdef Py_ssize_t room
    cdef Echo *echoes
    cdef Py_ssize_t echo_count
    cdef Py_ssize_t echo_room

    cdef int hear(self, str text, const int *clauses) except -1
    cdef int read_mandarin(self, str text) except -1
    cdef int read_english(self, str text) except -1
    cdef int add_sound(self, tuple sound, Py_ssize_t place) except -1
    cdef int add_echo(self, Echo *echo, Py_ssize_t since) except -1
    cdef tuple sound_of(self, Py_UCS4 character)
    cdef tuple numbered(self, sound)
