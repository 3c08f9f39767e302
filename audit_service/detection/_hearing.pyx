"""What in a folded text sounds like words: found by the keys of their sounds, verified on the sounds; see sounds.py."""

from cpython.mem cimport PyMem_Free

from audit_service.detection._folding cimport is_chinese
from audit_service.detection._memory cimport claimed, grown
from audit_service.detection._searching cimport Automaton, Found

cdef enum:
    FUZZY_TOKENS = 4
    MOST_REMEMBERED = 50000
    UNLIKE = 9


cdef class SoundIndex:
    """The spoken words of one language, by the keys of the whole, or (from four tokens) of either half."""

    def __cinit__(self, Ear ear, words, bint is_mandarin):
        cdef Py_ssize_t number, place, total = 0
        cdef list entries = []
        self.ear, self.is_mandarin, self.said = ear, is_mandarin, []
        self.words = <Spoken *> claimed(len(words) * sizeof(Spoken))
        self.spoken = <int *> claimed(sum([len(keys) for _, _, keys in words]) * sizeof(int))
        self.keys = <int *> claimed(sum([len(keys) for _, _, keys in words]) * sizeof(int))
        for number, (literal, spoken, keys) in enumerate(words):
            self.words[number] = Spoken(literal, <int> total, len(keys))
            self.said.append(" ".join(spoken))
            key_ids = [ear.key_ids.setdefault(key, len(ear.key_ids) + 1) for key in keys]
            for place, part in enumerate(spoken):
                self.spoken[total + place] = ear.spoken_ids.setdefault(part, len(ear.spoken_ids) + 1)
                self.keys[total + place] = key_ids[place]
            total += len(keys)
            entries.append((number, 0, key_ids))
            if len(keys) >= FUZZY_TOKENS:
                entries.append((number, 0, key_ids[: len(keys) // 2]))
                entries.append((number, len(keys) // 2, key_ids[len(keys) // 2 :]))
        self.entries = <Entry *> claimed(len(entries) * sizeof(Entry))
        for place, (number, offset, _) in enumerate(entries):
            self.entries[place] = Entry(<int> number, offset)
        self.automaton = Automaton([key_ids for _, _, key_ids in entries])

    def __dealloc__(self):
        PyMem_Free(self.words)
        PyMem_Free(self.entries)
        PyMem_Free(self.spoken)
        PyMem_Free(self.keys)

    cdef int add_echoes(self, str text, const int *clauses) except -1:
        cdef Py_ssize_t number, since = self.ear.echo_count
        cdef Py_ssize_t count = self.automaton.search(self.ear.keys, self.ear.count)
        cdef Found *found = self.automaton.found
        cdef Entry entry
        cdef Echo echo
        for number in range(count):
            entry = self.entries[found[number].literal]
            if self.verify(text, clauses, found[number].start - entry.offset, &self.words[entry.word], &echo):
                self.ear.add_echo(&echo, since)
        return 0

    cdef int verify(self, str text, const int *clauses, Py_ssize_t first, Spoken *word, Echo *echo) except -1:
        """Tell whether the word is heard from a token on, and how."""
        cdef Py_ssize_t last = first + word.count, place
        cdef const Sound *sounds = self.ear.sounds
        cdef int other = 0
        if first < 0 or last > self.ear.count:
            return False
        echo.literal, echo.start, echo.end = word.literal, sounds[first].start, sounds[last - 1].end
        echo.wrong = 0
        if clauses[echo.start] != clauses[echo.end - 1]:
            return False
        # of rows of the same length, one edit can only be one key in place of another
        for place in range(word.count):
            echo.wrong += sounds[first + place].key != self.keys[word.first + place]
            other += sounds[first + place].spoken != self.spoken[word.first + place]
        if echo.wrong > 1:
            return False
        if self.is_mandarin:
            echo.confused = other - echo.wrong
        else:
            echo.confused = 0 if self.is_alike(text, first, word) else UNLIKE
        if echo.confused + echo.wrong > max(1, word.count // 2):
            return False
        return <bint> (text[echo.start : echo.end] != <str> self.ear.literals[word.literal])

    cdef bint is_alike(self, str text, Py_ssize_t first, Spoken *word) except -1:
        heard = [text[self.ear.sounds[place].start : self.ear.sounds[place].end]
                 for place in range(first, first + word.count)]
        return self.ear.are_alike(heard, self.said[word - self.words])


cdef class Ear:
    """Hears words.

    Args:
        literals: all words as the rules have them, by number.
        mandarin, english: (number, spoken, keys) of those that are listened for.
        read_letters: cuts Latin letters into syllables: (spoken, key, start, end) each.
        read_character: the sound of a Chinese character: (spoken, key).
        read_word: the sound of an English word: (spoken, key).
        are_alike: tells whether English words, as written, sound enough like what is spoken.
    """

    def __cinit__(self, literals, mandarin, english, read_character, read_letters, read_word, are_alike):
        self.literals = list(literals)
        self.read_letters, self.read_word, self.are_alike = read_letters, read_word, are_alike
        self.spoken_ids, self.key_ids, self.letters, self.english_words = {}, {}, {}, {}
        self.read_character, self.characters = read_character, {}
        self.mandarin = SoundIndex(self, mandarin, True)
        self.english = SoundIndex(self, english, False)

    def __dealloc__(self):
        PyMem_Free(self.sounds)
        PyMem_Free(self.keys)
        PyMem_Free(self.echoes)

    def echoes_in(self, str text, clauses):
        """Return what sounds like words in a folded text: (number, start, end, wrong keys, confused sounds) each.

        Args:
            text: folded.
            clauses: the number of the clause of each character.
        """
        cdef Py_ssize_t number
        cdef int *row = <int *> claimed(len(text) * sizeof(int))
        try:
            for number in range(len(text)):
                row[number] = clauses[number]
            self.hear(text, row)
        finally:
            PyMem_Free(row)
        return [
            (
                self.echoes[number].literal,
                self.echoes[number].start,
                self.echoes[number].end,
                self.echoes[number].wrong,
                self.echoes[number].confused,
            )
            for number in range(self.echo_count)
        ]

    cdef int hear(self, str text, const int *clauses) except -1:
        """Fill ``echoes``."""
        self.echo_count = 0
        self.read_mandarin(text)
        self.mandarin.add_echoes(text, clauses)
        self.read_english(text)
        return self.english.add_echoes(text, clauses)

    cdef int read_mandarin(self, str text) except -1:
        cdef Py_ssize_t place = 0, end, length = len(text)
        cdef Py_UCS4 code
        self.count = 0
        while place < length:
            code = text[place]
            if is_chinese(code):
                self.add_sound(self.sound_of(code), place)
                place += 1
            elif c'a' <= code <= c'z':
                end = place + 1
                while end < length and c'a' <= text[end] <= c'z':
                    end += 1
                run = text[place:end]
                parts = self.letters.get(run)
                if parts is None:
                    parts = [self.numbered(part) for part in self.read_letters(run)]
                    if len(self.letters) >= MOST_REMEMBERED:
                        self.letters.clear()
                    self.letters[run] = parts
                for part in parts:
                    self.add_sound(part, place)
                place = end
            else:
                place += 1
        return 0

    cdef int read_english(self, str text) except -1:
        cdef Py_ssize_t place = 0, end, length = len(text)
        self.count = 0
        while place < length:
            end = place
            while end < length and (c'a' <= text[end] <= c'z' or c'0' <= text[end] <= c'9'):
                end += 1
            if end > place:
                word = text[place:end]
                sound = self.english_words.get(word)
                if sound is None:
                    sound = self.numbered((*self.read_word(word), 0, end - place))
                    if len(self.english_words) >= MOST_REMEMBERED:
                        self.english_words.clear()
                    self.english_words[word] = sound
                self.add_sound(sound, place)
                place = end
            else:
                place += 1
        return 0

    cdef tuple sound_of(self, Py_UCS4 character):
        sound = self.characters.get(character)
        if sound is None:
            sound = self.numbered((*self.read_character(character), 0, 1))
            self.characters[character] = sound
        return <tuple> sound

    cdef tuple numbered(self, sound):
        """Return a sound with the numbers of what is spoken and of its key; 0: no word holds that."""
        spoken, key, start, end = sound
        return self.spoken_ids.get(spoken, 0), self.key_ids.get(key, 0), start, end

    cdef int add_sound(self, tuple sound, Py_ssize_t place) except -1:
        if self.count == self.room:
            self.room = 2 * self.room + 64
            self.sounds = <Sound *> grown(self.sounds, self.room * sizeof(Sound))
            self.keys = <unsigned int *> grown(self.keys, self.room * sizeof(unsigned int))
        self.sounds[self.count] = Sound(
            sound[0], sound[1], <int> place + <int> sound[2], <int> place + <int> sound[3]
        )
        self.keys[self.count] = sound[1]
        self.count += 1
        return 0

    cdef int add_echo(self, Echo *echo, Py_ssize_t since) except -1:
        """Add what was heard, unless the whole and a half of a word have both led to it."""
        cdef Py_ssize_t number
        for number in range(since, self.echo_count):
            if (
                self.echoes[number].literal == echo.literal
                and self.echoes[number].start == echo.start
                and self.echoes[number].end == echo.end
            ):
                return 0
        if self.echo_count == self.echo_room:
            self.echo_room = 2 * self.echo_room + 64
            self.echoes = <Echo *> grown(self.echoes, self.echo_room * sizeof(Echo))
        self.echoes[self.echo_count] = echo[0]
        self.echo_count += 1
        return 0
