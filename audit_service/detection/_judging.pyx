"""Which rules of words stand in which of many texts, judged on plain rows of numbers.

The same conditions, exceptions and requirements as in matching.py, to one answer: does any match stand? What cannot be
told here (more matches than ``MOST``, selections that count) counts as standing, and is judged in full.
"""

from cpython.mem cimport PyMem_Free

from audit_service.detection._folding cimport FoldedTexts
from audit_service.detection._hearing cimport Ear, Echo
from audit_service.detection._memory cimport cleared, grown
from audit_service.detection._searching cimport Found, Words

cdef enum:
    MOST = 2000
    NAME = 0
    THEN = 1
    NEAR = 2
    TOGETHER = 3
    EITHER = 4
    BEFORE = 0
    AFTER = 1
    COVERS = 2
    IN_SENTENCE = 3
    IN_TURN = 4
    LEAST_SOUND = 4
    WRITTEN = 0
    WHOLE = -1
    TOO_MANY = -2

KINDS = {"name": NAME, "then": THEN, "near": NEAR, "together": TOGETHER, "either": EITHER}
PLACES = {"before": BEFORE, "after": AFTER, "covers": COVERS, "sentence": IN_SENTENCE, "turn": IN_TURN}


cdef struct Hit:
    int literal
    int start
    int end
    int score
    bint is_sound


cdef struct Match:
    int start
    int end
    int score
    int part
    int parts


cdef struct Part:
    int selection
    Hit hit


cdef struct Node:
    int kind
    int selection
    int gap
    int first
    int children
    int positive


cdef struct Neighbour:
    int source
    int place
    int target
    int within
    bint is_required


cdef struct Rule:
    int root
    int neighbour
    int neighbours
    bint is_opaque
    bint is_open


cdef class Rows:
    """A row of rows of whole numbers, one after the other."""
    cdef int *firsts
    cdef int *values
    cdef Py_ssize_t count

    def __cinit__(self, rows):
        cdef Py_ssize_t total = 0, number
        self.count = len(rows)
        self.firsts = <int *> cleared((self.count + 1) * sizeof(int))
        self.values = <int *> cleared((sum(map(len, rows)) + 1) * sizeof(int))
        for number, row in enumerate(rows):
            self.firsts[number] = <int> total
            for value in row:
                self.values[total] = value
                total += 1
        self.firsts[self.count] = <int> total

    def __dealloc__(self):
        PyMem_Free(self.firsts)
        PyMem_Free(self.values)


cdef class Judge:
    """Rules, compiled.

    Args:
        words: finds the words.
        ear: hears what sounds like them, where a writer evades.
        written, spoken: the numbers of the words of each source, as written and by their sound.
        patterned: of each source the number of its selection with patterns; -1: it has none.
        sources: of each selection, its source.
        rules: (nodes, sets of sources of one of which each must be met, neighbours, is opaque, is open); a node is
            (kind, selection, gap, nodes right below, how many of them must hold), a neighbour
            (source, place, selection or -1, within, is required).
        look: returns, of a selection with patterns and a folded text, the hits and the stretches without hits.
    """
    cdef Words words
    cdef Ear ear
    cdef object look
    cdef Py_ssize_t sources, stride, rules
    cdef unsigned char *written
    cdef unsigned char *spoken
    cdef int *patterned
    cdef int *source_of
    cdef Rows owners, spoken_owners, needs, watched, children
    cdef int *rule_of
    cdef Rule *rule
    cdef Node *node
    cdef Neighbour *neighbour
    cdef list openly
    # the text at hand
    cdef FoldedTexts texts
    cdef Py_ssize_t number
    cdef const int *steps
    cdef const int *sentences
    cdef const int *clauses
    cdef int stamp
    cdef int *met
    cdef int *met_list
    cdef Py_ssize_t met_count
    cdef int *told
    cdef int *gathered
    cdef int *gathered_first
    cdef int *gathered_count
    # hits by their place; ``score`` is only to be compared
    cdef Hit *found
    cdef Py_ssize_t found_count, found_room
    cdef Hit *hits
    cdef Py_ssize_t hit_count, hit_room
    cdef Match *matches
    cdef Py_ssize_t match_count, match_room
    cdef Part *parts
    cdef Py_ssize_t part_count, part_room

    def __cinit__(self, Words words, Ear ear, written, spoken, patterned, sources, rules, look):
        self.words, self.ear, self.look = words, ear, look
        self.sources, self.rules = len(written), len(rules)
        self.stride = (words.automaton.count >> 3) + 1
        self.written = bits_of(written, self.stride)
        self.spoken = bits_of(spoken, self.stride)
        self.patterned = ints_of(patterned)
        self.source_of = ints_of(sources)
        self.met = <int *> cleared(self.sources * sizeof(int))
        self.met_list = <int *> cleared(self.sources * sizeof(int))
        self.gathered = <int *> cleared(self.sources * sizeof(int))
        self.gathered_first = <int *> cleared(self.sources * sizeof(int))
        self.gathered_count = <int *> cleared(self.sources * sizeof(int))
        self.told = <int *> cleared(self.rules * sizeof(int))
        self.rule = <Rule *> cleared(self.rules * sizeof(Rule))
        self.node = <Node *> cleared(sum([len(rule[0]) for rule in rules]) * sizeof(Node))
        self.neighbour = <Neighbour *> cleared(sum([len(rule[2]) for rule in rules]) * sizeof(Neighbour))
        self.add_rules(rules)
        self.add_needs(rules, written, spoken)

    def __dealloc__(self):
        PyMem_Free(self.written)
        PyMem_Free(self.spoken)
        PyMem_Free(self.patterned)
        PyMem_Free(self.source_of)
        PyMem_Free(self.met)
        PyMem_Free(self.met_list)
        PyMem_Free(self.gathered)
        PyMem_Free(self.gathered_first)
        PyMem_Free(self.gathered_count)
        PyMem_Free(self.told)
        PyMem_Free(self.rule)
        PyMem_Free(self.node)
        PyMem_Free(self.neighbour)
        PyMem_Free(self.rule_of)
        PyMem_Free(self.found)
        PyMem_Free(self.hits)
        PyMem_Free(self.matches)
        PyMem_Free(self.parts)

    def add_rules(self, rules):
        cdef Py_ssize_t number, node = 0, neighbour = 0
        children = []
        self.openly = []
        for number, (nodes, _, neighbours, is_opaque, is_open) in enumerate(rules):
            first = node
            for kind, selection, gap, below, positive in nodes:
                self.node[node] = Node(kind, selection, gap, 0, len(below), positive)
                children.append([first + child for child in below])
                node += 1
            self.rule[number] = Rule(node - 1, neighbour, len(neighbours), is_opaque, is_open)
            if is_open:
                self.openly.append(number)
            for source, place, target, within, is_required in neighbours:
                self.neighbour[neighbour] = Neighbour(source, place, target, within, is_required)
                neighbour += 1
        self.children = Rows(children)
        for number in range(node):
            self.node[number].first = self.children.firsts[number]

    def add_needs(self, rules, written, spoken):
        """Note of each way which sources it needs, and watch for the one with the fewest words."""
        needs = [(number, sorted(needed)) for number, rule in enumerate(rules) for needed in rule[1]]
        self.needs = Rows([needed for _, needed in needs])
        self.rule_of = ints_of([number for number, _ in needs])
        watched = [[] for _ in range(self.sources)]
        for way, (_, needed) in enumerate(needs):
            watched[min(needed, key=lambda source: (len(written[source]), source))].append(way)
        self.watched = Rows(watched)
        used = {source for _, needed in needs for source in needed}
        self.owners = owners_of(written, used, self.words.automaton.count)
        self.spoken_owners = owners_of(spoken, used, self.words.automaton.count)

    def standing(self, FoldedTexts texts, rules):
        """Return the texts in which rules stand, by number, and which.

        Args:
            texts: folded.
            rules: of each rule, whether it is to be judged (a byte each).
        """
        cdef Py_ssize_t number
        cdef const unsigned char[::1] wanted = rules
        found = {}
        self.texts = texts
        for number in range(texts.count):
            standing = self.judge(number, wanted)
            if standing is not None:
                found[number] = standing
        self.texts = None
        return found

    cdef list judge(self, Py_ssize_t number, const unsigned char[::1] wanted):
        """Return the rules that stand in a text; None if none does."""
        cdef Py_ssize_t place, way, need
        cdef int rule, source
        cdef list able = []
        self.read(number)
        for place in range(self.met_count):
            source = self.met_list[place]
            for way in range(self.watched.firsts[source], self.watched.firsts[source + 1]):
                rule = self.rule_of[self.watched.values[way]]
                if not wanted[rule] or self.told[rule] == self.stamp:
                    continue
                if self.has_all(self.watched.values[way]):
                    self.told[rule] = self.stamp
                    able.append(rule)
        for rule in self.openly:
            if wanted[rule] and self.told[rule] != self.stamp:
                able.append(rule)
        if not able:
            return None
        sort_by_place(self.found, self.found_count, True)
        kept = [number for number in able if self.stands(&self.rule[<Py_ssize_t> number])]
        return kept if kept else None

    cdef bint has_all(self, Py_ssize_t way) noexcept:
        cdef Py_ssize_t need
        for need in range(self.needs.firsts[way], self.needs.firsts[way + 1]):
            if self.met[self.needs.values[need]] != self.stamp:
                return False
        return True

    cdef int read(self, Py_ssize_t number) except -1:
        """Find the words of a text, and which sources they meet."""
        cdef Py_ssize_t begin = self.texts.bounds[number], place, count
        cdef Found *words
        self.number = number
        self.steps = self.texts.steps + begin
        self.sentences = self.texts.sentences + begin
        self.clauses = self.texts.clauses + begin
        self.stamp += 1
        self.met_count = self.hit_count = self.found_count = 0
        count = self.words.search(
            self.texts.codes + begin, self.texts.kinds + begin, self.clauses, self.texts.bounds[number + 1] - begin
        )
        words = self.words.automaton.found
        for place in range(count):
            self.add_found(Hit(words[place].literal, words[place].start, words[place].end, WRITTEN, False))
            self.meet(self.owners, words[place].literal)
        if self.texts.evades[number]:
            self.listen(number)
        return 0

    cdef int listen(self, Py_ssize_t number) except -1:
        """Find what sounds like words."""
        cdef Py_ssize_t place
        cdef Echo echo
        self.ear.hear(self.texts.line(number), self.clauses)
        for place in range(self.ear.echo_count):
            echo = self.ear.echoes[place]
            # in the order of the scores of anchors.py, below what is written
            self.add_found(Hit(echo.literal, echo.start, echo.end, -1 - echo.confused - 2 * echo.wrong, True))
            self.meet(self.spoken_owners, echo.literal)
        return 0

    cdef int add_found(self, Hit hit) except -1:
        if self.found_count == self.found_room:
            self.found_room = 2 * self.found_room + 64
            self.found = <Hit *> grown(self.found, self.found_room * sizeof(Hit))
        self.found[self.found_count] = hit
        self.found_count += 1
        return 0

    cdef void meet(self, Rows owners, int literal) noexcept:
        cdef Py_ssize_t place
        cdef int source
        for place in range(owners.firsts[literal], owners.firsts[literal + 1]):
            source = owners.values[place]
            if self.met[source] != self.stamp:
                self.met[source] = self.stamp
                self.met_list[self.met_count] = source
                self.met_count += 1

    cdef bint stands(self, Rule *rule) except -1:
        """Tell whether a match of the rule stands, or that cannot be told."""
        cdef Py_ssize_t first = 0, count, place
        if rule.is_opaque:
            return True
        self.match_count = self.part_count = 0
        count = self.hold(rule.root, &first)
        if count == TOO_MANY:
            return True
        for place in range(first, first + count):
            if self.is_kept(rule, &self.matches[place]):
                return True
        return False

    cdef bint is_kept(self, Rule *rule, Match *match) except -1:
        cdef Py_ssize_t number
        cdef Neighbour *neighbour
        if not self.has_enough_sound(match):
            return False
        for number in range(rule.neighbour, rule.neighbour + rule.neighbours):
            neighbour = &self.neighbour[number]
            if self.is_met(neighbour, match) != neighbour.is_required:
                return False
        return True

    cdef bint has_enough_sound(self, Match *match) noexcept:
        cdef Py_ssize_t place
        cdef int steps = 0
        for place in range(match.part, match.part + match.parts):
            if not self.parts[place].hit.is_sound:
                return True
            steps += self.steps[self.parts[place].hit.end - 1] - self.steps[self.parts[place].hit.start] + 1
        return steps >= LEAST_SOUND

    cdef bint is_met(self, Neighbour *neighbour, Match *match) except -1:
        """Tell whether the words of an exception or a requirement stand where they must."""
        cdef Py_ssize_t first = 0, count = self.gather(neighbour.source, &first), place, part
        if count == 0 or neighbour.place == IN_TURN:
            return count > 0
        for place in range(first, first + count):
            if neighbour.place == IN_SENTENCE:
                if self.is_beside(self.hits[place].start, match):
                    return True
            elif neighbour.target == WHOLE:
                if self.is_placed(neighbour, &self.hits[place], match.start, match.end):
                    return True
            else:
                for part in range(match.part, match.part + match.parts):
                    if self.parts[part].selection == neighbour.target and self.is_placed(
                        neighbour, &self.hits[place], self.parts[part].hit.start, self.parts[part].hit.end
                    ):
                        return True
        return False

    cdef bint is_placed(self, Neighbour *neighbour, Hit *hit, int start, int end) noexcept:
        cdef int first_start = hit.start, first_end = hit.end, second = start
        if neighbour.place == COVERS:
            return hit.start <= start and end <= hit.end
        if neighbour.place == AFTER:
            first_start, first_end, second = start, end, hit.start
        if second < first_end or self.clauses[first_start] != self.clauses[second]:
            return False
        return self.gap(first_end, second) <= neighbour.within

    cdef int gap(self, int left_end, int right_start) noexcept:
        return self.steps[right_start] - self.steps[left_end - 1] - 1

    cdef bint is_beside(self, int start, Match *match) noexcept:
        return self.sentences[match.start] <= self.sentences[start] <= self.sentences[match.end - 1]

    cdef Py_ssize_t gather(self, int source, Py_ssize_t *first) except -1:
        """Return the hits of a source: how many, and in ``first`` where in ``hits`` they begin."""
        cdef Py_ssize_t place, begin = self.hit_count
        cdef const unsigned char *written = self.written + source * self.stride
        cdef const unsigned char *spoken = self.spoken + source * self.stride
        cdef int literal
        if self.gathered[source] != self.stamp:
            for place in range(self.found_count):
                literal = self.found[place].literal
                if (spoken if self.found[place].is_sound else written)[literal >> 3] >> (literal & 7) & 1:
                    self.add_hit(&self.found[place])
            if self.patterned[source] >= 0:
                self.look_for(self.patterned[source], begin)
            self.gathered[source] = self.stamp
            self.gathered_first[source] = <int> begin
            self.gathered_count[source] = <int> (self.hit_count - begin)
        first[0] = self.gathered_first[source]
        return self.gathered_count[source]

    cdef int look_for(self, int selection, Py_ssize_t begin) except -1:
        """Add the hits of patterns, and take out what excluding patterns overlap."""
        cdef Py_ssize_t place, kept = begin
        cdef Hit hit
        found, excluded = self.look(selection, self.texts.line(self.number))
        for start, end in found:
            hit = Hit(-1, start, end, WRITTEN, False)
            self.add_hit(&hit)
        for place in range(begin, self.hit_count):
            hit = self.hits[place]
            if not [start for start, end in excluded if start < hit.end and hit.start < end]:
                self.hits[kept] = hit
                kept += 1
        self.hit_count = kept
        sort_by_place(self.hits + begin, kept - begin, False)
        return 0

    cdef int add_hit(self, Hit *hit) except -1:
        if self.hit_count == self.hit_room:
            self.hit_room = 2 * self.hit_room + 64
            self.hits = <Hit *> grown(self.hits, self.hit_room * sizeof(Hit))
        self.hits[self.hit_count] = hit[0]
        self.hit_count += 1
        return 0

    cdef int hold(self, int number, Py_ssize_t *first) except -1:
        """Return in how many ways a condition holds, and in ``first`` where in ``matches`` they begin."""
        cdef Node *node = &self.node[number]
        if node.kind == NAME:
            return self.name(node, first)
        if node.kind == EITHER:
            return self.either(node, first)
        if node.kind == TOGETHER:
            return self.together(node, first)
        return self.sequence(node, first)

    cdef int name(self, Node *node, Py_ssize_t *first) except -1:
        cdef Py_ssize_t hits = 0, place, count = self.gather(self.source_of[node.selection], &hits)
        cdef Match *match
        first[0] = self.match_count
        if count > MOST:
            return TOO_MANY
        for place in range(hits, hits + count):
            self.make_room(1)
            self.parts[self.part_count] = Part(node.selection, self.hits[place])
            match = &self.matches[self.match_count]
            match[0] = Match(
                self.hits[place].start, self.hits[place].end, self.hits[place].score, <int> self.part_count, 1
            )
            self.part_count += 1
            self.match_count += 1
        return <int> count

    cdef int either(self, Node *node, Py_ssize_t *first) except -1:
        cdef Py_ssize_t[64] firsts
        cdef int[64] counts
        cdef Py_ssize_t child, place
        cdef int total = 0
        if node.children > 64:
            return TOO_MANY
        for child in range(node.children):
            counts[child] = self.hold(self.children.values[node.first + child], &firsts[child])
            if counts[child] == TOO_MANY:
                return TOO_MANY
            total += counts[child]
        if total > MOST:
            return TOO_MANY
        first[0] = self.match_count
        self.make_room(total)
        for child in range(node.children):
            for place in range(firsts[child], firsts[child] + counts[child]):
                self.matches[self.match_count] = self.matches[place]
                self.match_count += 1
        sort_by_place(self.matches + first[0], total, True)
        return total

    cdef int sequence(self, Node *node, Py_ssize_t *first) except -1:
        cdef Py_ssize_t left_first = 0, right_first = 0, left, right
        cdef int lefts = self.hold(self.children.values[node.first], &left_first), rights
        cdef Match one, other, swapped
        first[0] = self.match_count
        if lefts <= 0:
            return lefts
        rights = self.hold(self.children.values[node.first + 1], &right_first)
        first[0] = self.match_count
        if rights <= 0:
            return rights
        for left in range(left_first, left_first + lefts):
            for right in range(right_first, right_first + rights):
                one, other = self.matches[left], self.matches[right]
                if node.kind == NEAR and one.start > other.start:
                    swapped = one
                    one = other
                    other = swapped
                if (
                    other.start >= one.end
                    and self.sentences[one.start] == self.sentences[other.end - 1]
                    and self.gap(one.end, other.start) <= node.gap
                ):
                    self.join(self.matches[left], self.matches[right])
                    if self.match_count - first[0] > MOST:
                        return TOO_MANY
        sort_by_place(self.matches + first[0], self.match_count - first[0], True)
        return <int> (self.match_count - first[0])

    cdef int together(self, Node *node, Py_ssize_t *first) except -1:
        cdef Py_ssize_t from_first = 0, other_first = 0, child, place, joined
        cdef int count = self.hold(self.children.values[node.first], &from_first), others
        for child in range(1, node.positive):
            if count <= 0:
                break
            others = self.hold(self.children.values[node.first + child], &other_first)
            if others <= 0:
                count = others
                break
            joined = self.match_count
            for place in range(from_first, from_first + count):
                self.join(self.matches[place], self.matches[self.nearest(place, other_first, others)])
            from_first = joined
        for child in range(node.positive, node.children):
            if count <= 0:
                break
            others = self.hold(self.children.values[node.first + child], &other_first)
            if others == TOO_MANY:
                return TOO_MANY
            count = self.without(from_first, count, other_first, others)
        first[0] = from_first
        return count

    cdef int without(self, Py_ssize_t first, int count, Py_ssize_t other_first, int others) noexcept:
        """Take out the matches beside which another condition holds; return how many are left."""
        cdef Py_ssize_t place, other
        cdef int kept = 0
        for place in range(first, first + count):
            for other in range(other_first, other_first + others):
                if self.is_beside(self.matches[other].start, &self.matches[place]):
                    break
            else:
                self.matches[first + kept] = self.matches[place]
                kept += 1
        return kept

    cdef Py_ssize_t nearest(self, Py_ssize_t place, Py_ssize_t first, int count) noexcept:
        """Return the match that stands nearest to another one; of two as near, the first by place."""
        cdef Match *match = &self.matches[place]
        cdef Match *other
        cdef Py_ssize_t best = first, number
        cdef int distance, least = -1
        for number in range(first, first + count):
            other = &self.matches[number]
            distance = max(0, other.start - match.end, match.start - other.end)
            if least < 0 or distance < least or (distance == least and other.start < self.matches[best].start):
                best, least = number, distance
        return best

    cdef int join(self, Match left, Match right) except -1:
        """Add the match that spans two."""
        cdef Match joined = Match(
            min(left.start, right.start),
            max(left.end, right.end),
            min(left.score, right.score),
            <int> self.part_count,
            left.parts + right.parts,
        )
        cdef Py_ssize_t place
        self.make_room(joined.parts)
        for place in range(left.part, left.part + left.parts):
            self.parts[self.part_count] = self.parts[place]
            self.part_count += 1
        for place in range(right.part, right.part + right.parts):
            self.parts[self.part_count] = self.parts[place]
            self.part_count += 1
        self.matches[self.match_count] = joined
        self.match_count += 1
        return 0

    cdef int make_room(self, Py_ssize_t wanted) except -1:
        if self.match_count + wanted > self.match_room:
            self.match_room = 2 * self.match_room + wanted + 64
            self.matches = <Match *> grown(self.matches, self.match_room * sizeof(Match))
        if self.part_count + wanted > self.part_room:
            self.part_room = 2 * self.part_room + wanted + 64
            self.parts = <Part *> grown(self.parts, self.part_room * sizeof(Part))
        return 0


ctypedef fused Placed:
    Hit
    Match


cdef void sort_by_place(Placed *rows, Py_ssize_t count, bint by_score) noexcept:
    """Sort by place, and then the surest first if so wished; what is equal keeps its order."""
    cdef Py_ssize_t number, place
    cdef Placed row
    for number in range(1, count):
        row = rows[number]
        place = number
        while place > 0 and is_after(
            rows[place - 1].start, rows[place - 1].end, rows[place - 1].score if by_score else 0,
            row.start, row.end, row.score if by_score else 0,
        ):
            rows[place] = rows[place - 1]
            place -= 1
        rows[place] = row


cdef inline bint is_after(int start, int end, int score, int other_start, int other_end, int other_score) noexcept:
    if start != other_start:
        return start > other_start
    if end != other_end:
        return end > other_end
    return score < other_score


cdef Rows owners_of(rows, used, Py_ssize_t count):
    """Return, for each word, the sources in use that it stands in."""
    owners = [[] for _ in range(count)]
    for source in sorted(used):
        for word in rows[source]:
            owners[word].append(source)
    return Rows(owners)


cdef unsigned char *bits_of(rows, Py_ssize_t stride) except NULL:
    cdef unsigned char *bits = <unsigned char *> cleared(len(rows) * stride)
    cdef Py_ssize_t number, word
    for number, row in enumerate(rows):
        for word in row:
            bits[number * stride + (word >> 3)] |= 1 << (word & 7)
    return bits


cdef int *ints_of(row) except NULL:
    cdef int *values = <int *> cleared(len(row) * sizeof(int))
    cdef Py_ssize_t place
    for place, value in enumerate(row):
        values[place] = value
    return values
