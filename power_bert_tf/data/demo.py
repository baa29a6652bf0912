"""The embedded task of `power-bert demo`: short reviews made by a grammar, not written by people.

Nothing here was collected. A seeded grammar writes reviews of films, books, restaurants, hotels,
albums and plays, and knows the label of each because it decides on it first. The data exist so
that the three steps can be shown and tested with no network in minutes; a score on them says
nothing about real text.

What makes the task worth the name, and dropping words a risk:

- An opinion is stated plainly ("the plot is clever") or by the negation of its opposite ("not one
  of the jokes is dull", "hardly the masterpiece that it claims to be"), with the negation next to
  the word that it turns over or several words away.
- Of two opinions that disagree, the grammar decides: after "but" the later one, beside "although"
  the main clause, and what others said or expected never.
- Opinions on other things ("the film before it was awful") count for nothing.
- Neutral clauses, some with a "not" or a "but" of their own, take up most of a long text.

So the words alone decide little, in which order they stand a lot. Training texts, development
texts and the unlabelled stream for pre-training are disjoint whatever the seeds: a text's checksum
says which of the three it may appear in.
"""

import itertools
import pathlib
import random
import re
import zlib
from collections.abc import Iterator

import numpy as np

from power_bert_tf.data.examples import Examples
from power_bert_tf.errors import InputError

LABEL_NAMES = ("negative", "positive")
DEMO_SEED = 2020

MAX_WORDS = 60

# Of sixteen possible checksums, those that belong to each part.
_SHARES = {"train": range(0, 6), "dev": range(6, 8), "unlabelled": range(8, 16)}

# A slot in braces is replaced by one of its entries, which may have slots themselves. Slots are
# looked up in the kind of thing that is reviewed, then by polarity, then in what all share.

_SHARED = {
    "is": "is | is | was",
    "are": "are | are | were",
    "the_sg": "the {sg} | the {sg} | the {sg} {mod} | the whole {sg} | the {sg}, {relative},",
    "the_pl": "the {pl} | the {pl} | the {pl} {mod} | all the {pl} | most of the {pl}",
    "subject": "{the_sg} {is} | {the_sg} {is} | {the_pl} {are} | it {is} | this {thing} {is}",
    "relative": "which {person} had mentioned | about which {person} talked all {day} | "
    "which takes about {number} minutes | which nobody had described to us | "
    "for which {name} is known | which we discussed on the way home",
    "aside": "in my opinion | to be honest | at least for me | as far as i can tell | "
    "by any standard | even after a second try | whatever the poster says | on the whole",
    "scope": "in {number} hours | on either day | in the second half | for a single moment | "
    "between the first minute and the last | from where we sat | since {month}",
    "degree": "very | really | quite | truly | so | {emphasis} | {emphasis} | {emphasis}",
    "negator": "not | not | not | never | hardly | far from | anything but | by no means | "
    "scarcely | not at all | not even remotely | in no way | not exactly | nowhere near",
    "person": "my sister | my brother | my mother | our neighbour | a colleague | {name} | "
    "my aunt | an old friend | my cousin | the woman beside me | my teacher | our driver",
    "critic": "{person} | {person} | one critic | the local paper | a famous magazine | "
    "everybody at work | the announcement | someone on the radio",
    "name": "Anna | Peter | Maria | Thomas | Laura | Daniel | Ruth | Simon | Clara | Victor | "
    "Helen | Oscar | Julia | Martin | Nora | Edward",
    "city": "London | Paris | Vienna | Dublin | Lisbon | Oslo | Chicago | Boston | Madrid | "
    "Prague | Glasgow | Toronto",
    "day": "Monday | Tuesday | Wednesday | Thursday | Friday | Saturday | Sunday | morning | "
    "afternoon | evening",
    "month": "January | March | April | May | June | August | September | October | December",
    "season": "spring | summer | autumn | winter",
    "number": "two | three | four | five | six | seven | eight | nine | ten | twelve | twenty | "
    "thirty | forty | fifty",
    "colour": "red | blue | green | yellow | white | black | grey | brown | purple | orange",
    "vehicle": "train | bus | car | bicycle | taxi | tram | ferry",
    "street": "station | river | market | bridge | harbour | church | library | park | school",
    "garment": "coat | hat | jacket | scarf | shirt | dress | cap | suit",
    "object": "umbrella | bag | phone | wallet | camera | watch | notebook | newspaper | key",
    "filler": "we went there by {vehicle} on a {day} | {person} came along and wore a {colour} "
    "{garment} | it was {number} o'clock when we left | i bought the tickets in {month} | "
    "{person} lives near the {street} | there were {number} of us that {day} | it rained all "
    "{day} | we had not planned anything else for the {day} | i had left my {object} at home | "
    "we walked along the {street} and talked about {city} | {person} did not come with us | "
    "{person} moved to {city} in {season} | i write these lines on a {day} in {month} | "
    "we had an hour left but the {vehicle} was already there | the {vehicle} from {city} takes "
    "{number} minutes | i never travel without my {colour} {object} | nobody had told us about "
    "the way from the {street} | {person} paid with a card | {person} and {person} met us at the "
    "{street} | we stayed for {number} minutes after that | {name} is from {city} but works in "
    "{city} | it was my first visit since {month} | it took place not far from the {street} | "
    "{person} asked me to write this down | i had heard of it in {city} some years ago",
    "filler_lead": "as it happened | by the way | for the record | if i remember correctly | "
    "as it turned out | so that you know",
    "other": "the weather | the {vehicle} to {city} | the coffee at the {street} | "
    "the {thing} that we tried in {city}",
    "was": "was | was | is",
    "wrong": "{critic_is} wrong | that is not true | i disagree | that is false | "
    "i cannot agree | nothing could be further from the truth",
    "right": "{critic_is} right | that is true | i agree | i can only agree | "
    "that is exactly what we felt",
    "critic_is": "whoever says so is | they are",
}

_POSITIVE = {
    "adj": "good | good | great | wonderful | brilliant | charming | delightful | superb | "
    "excellent | impressive | memorable | enjoyable | lovely | remarkable | outstanding | "
    "splendid | fine | fantastic | beautiful | satisfying | clever | perfect | terrific | "
    "pleasant | marvellous | inspired | elegant | convincing | refreshing | admirable | "
    "magnificent | rewarding | captivating | engaging | stunning | amusing | graceful",
    "noun": "masterpiece | triumph | gem | treat | delight | pleasure | joy | success | marvel | "
    "treasure | wonder | highlight",
    "quality": "charm | wit | warmth | grace | imagination | skill | beauty | elegance | "
    "inspiration | talent",
    "emphasis": "wonderfully | beautifully | delightfully | perfectly | superbly",
    "verb": "work | shine | impress | delight | please | succeed | convince | sparkle",
    "verbs": "works | shines | impresses | delights | pleases | succeeds | convinces | sparkles",
    "moved": "moved | delighted | charmed | thrilled | amused | impressed | inspired",
    "move": "move | delight | charm | thrill | amuse | impress | inspire",
    "liked": "liked | loved | enjoyed | admired | adored | treasured | appreciated",
    "like": "like | love | enjoy | admire | adore | treasure | appreciate",
    "advice": "i would recommend it to anyone | you should not miss it | i would gladly {again} | "
    "i am happy that i did not stay at home | every minute was worth it | i cannot wait to "
    "{again} | you will not be sorry | it is worth the money",
}

_NEGATIVE = {
    "adj": "bad | bad | terrible | awful | dreadful | boring | dull | poor | horrible | "
    "disappointing | tedious | weak | mediocre | tiresome | clumsy | forgettable | annoying | "
    "stale | lifeless | lazy | bland | miserable | unpleasant | pathetic | dismal | shoddy | "
    "lousy | irritating | hopeless | uninspired | abysmal | ridiculous | painful | depressing | "
    "atrocious | sloppy | appalling | embarrassing",
    "noun": "disaster | failure | mess | bore | disappointment | chore | catastrophe | fiasco | "
    "embarrassment | nightmare | flop | shambles",
    "quality": "boredom | carelessness | laziness | confusion | arrogance | clumsiness | "
    "pretension | nonsense | monotony | sloppiness",
    "emphasis": "painfully | hopelessly | utterly | terribly | dreadfully",
    "verb": "disappoint | drag | irritate | bore | annoy | collapse | grate | embarrass",
    "verbs": "disappoints | drags | irritates | bores | annoys | collapses | grates | embarrasses",
    "moved": "bored | annoyed | irritated | disappointed | exhausted | offended | depressed",
    "move": "bore | annoy | irritate | disappoint | exhaust | offend | depress",
    "liked": "hated | disliked | loathed | detested | regretted | resented | despised",
    "like": "hate | dislike | loathe | detest | regret | resent | despise",
    "advice": "i would not recommend it to anyone | you should miss it if you can | i would never "
    "{again} | i am sorry that i did not stay at home | every minute was wasted | i want my "
    "money back | you will be sorry | it is not worth the money",
}

_PLAIN = (
    "{subject} {adj} | {subject} {adj} | {subject} {adj} | {subject} {degree} {adj} | "
    "{subject} {degree} {adj} | {subject} {adj} and {adj} | {subject} {adj} and {emphasis} {adj} | "
    "{subject}, {aside}, {adj} | i found {the_sg} {adj} | we thought that {subject} {adj} | "
    "this {thing} is a {noun} | it is a {adj} {noun} | this is a {adj} {thing} | "
    "{the_sg} {verbs} | {the_pl} {verb} | i {liked} {the_sg} | we {liked} the {adj} {pl} | "
    "it {moved} me | the {adj} {sg} {moved} us | {the_sg} is full of {quality} | "
    "there is much {quality} in the {adj} {sg} | {advice} | {advice}"
)

# Each states the opposite of the polarity of its slots.
_NEGATED = (
    "{subject} {negator} {adj} | {subject} {negator} {adj} | {subject} {negator} {adj} | "
    "{subject} not, {aside}, {adj} | {subject} neither {adj} nor {adj} | "
    "i did not find {the_sg} {adj} | i do not think that {subject} {adj} | "
    "nobody could call {the_sg} of this {thing} {adj} | there is nothing {adj} about the {sg} | "
    "it is hardly the {noun} that it claims to be | this is not the {noun} that {critic} had "
    "promised | this {thing} is no {noun} | not one of the {pl} {is} {adj} | "
    "at no point {scope} was the {sg} {adj} | none of the {pl} {scope} {are} {adj} | "
    "{the_sg} does not {verb} | {the_sg} never {verbs} | {the_pl} do not {verb} | "
    "i cannot say that i {liked} {the_sg} | i did not {like} {the_pl} | it did not {move} me | "
    "not once {scope} did {the_sg} {move} us | there is no {quality} in the {sg} | "
    "{the_sg} is without any {quality} | i would never call it a {noun} | "
    "i doubt that anyone would call it {adj}"
)

# `X` is the opinion that gives way, `Y` the one that counts, `F` a neutral clause.
_CONTRASTS = (
    "X, but Y | X, but Y | X, yet Y | X. However, Y | X; still, Y | X. Nevertheless, Y | "
    "although X, Y | even though X, Y | while X, Y | Y, although X | Y, even though X | "
    "Y, even if X | it may be that X, but Y | X, and F, but Y | although F and X, Y | "
    "granted, X. All the same, Y"
)
_AGREEMENTS = (
    "Y, and Y | Y. Y | Y. Also, Y | Y; Y | Y, and F. Y | Y, and Y. Y | not only that: Y. Y | "
    "Y. What is more, Y"
)
_REPORTS = (
    "{critic} says that X, but Y | {critic} told me that X. Y | i had expected that X, but Y | "
    "{critic} believes that X; {wrong} | {critic} wrote that X, but {wrong} | "
    "{critic} believes that Y; {right} | {critic} wrote that Y, and {right}"
)
_SINGLES = "Y | Y | Y | F, but Y | F, and Y | Y; F"
_OTHER_OPINIONS = "{other} {was} {adj} | {other} {was} {degree} {adj} | {person} {liked} {other}"

_PLANS = 4 * (_SINGLES,) + 5 * (_AGREEMENTS,) + 2 * (_CONTRASTS,) + (_REPORTS,)
_NEGATION_RATE = 0.15
# What comes without labels says more of the same: so it shows by itself which words go together.
_UNLABELLED_MORE = 2
_TITLES = "{adj} | {adj} | {noun} | {month}"
_OTHER_OPINION_RATE = 0.12
_CONTRACTION_RATE = 0.25

_THINGS = (
    {
        "thing": "film | movie | thriller | comedy | drama | documentary | sequel",
        "sg": "plot | acting | script | ending | dialogue | music | editing | story | opening",
        "pl": "actors | jokes | characters | songs | costumes | stunts | action scenes | effects",
        "mod": "in the second half | after the first hour | in the last scene | by {name}",
        "again": "watch it again | see it a second time | take {person} to see it",
        "other": "the popcorn | the trailer before it | the last film by the same director | "
        "the cartoon for children that ran before it | the cinema itself",
        "filler": "the cinema stands next to the {street} | we sat in row {number} | the film "
        "runs for {number} minutes more than usual | it was shot in {city} during the {season} | "
        "a {colour} {vehicle} crosses the screen several times | the hero sells one {object} "
        "after another on a market | the director was born in {city} | it is the story of {number} "
        "sailors and a {vehicle} | {name} plays a lawyer from {city} | we did not see the "
        "credits | the lights came on at {number} o'clock | most of it takes place in a "
        "{colour} kitchen | {name} drives a {colour} {vehicle} but never speaks",
    },
    {
        "thing": "novel | book | biography | collection | mystery | memoir",
        "sg": "plot | style | prose | ending | dialogue | translation | story | first chapter",
        "pl": "characters | chapters | descriptions | drawings | short stories | poems | letters",
        "mod": "in the middle part | of the second volume | in chapter {number} | by {name}",
        "again": "read it again | lend it to {person} | read it to my children",
        "other": "the previous book by this author | the film that was made from it | "
        "the other novel on my desk | the magazine that came with it",
        "filler": "the book has {number} chapters and a {colour} cover | i borrowed it from "
        "{person} | it is set in {city} in the {season} of a war | the author taught at a "
        "school in {city} | {name} inherits a {colour} house by the {street} | i read it on the "
        "{vehicle} to {city} | the pages are numbered from {number} | a map of {city} is "
        "printed inside | the narrator is a doctor who does not give a name | it was first "
        "printed in {city} but sold in {city} | {number} letters from {name} make up the middle | "
        "my copy had a stamp of the library",
    },
    {
        "thing": "restaurant | cafe | bistro | dinner | lunch | menu",
        "sg": "soup | food | service | fish | dessert | bread | wine | pasta | cooking | salad",
        "pl": "starters | waiters | vegetables | portions | cakes | sauces | drinks | desserts",
        "mod": "of the day | from the lunch menu | with the {colour} sauce | at our table",
        "again": "eat there again | order it again | book a table for {person}",
        "other": "the place next door | the music from the bar across the street | "
        "the sandwich that i had at the {street} | the view of the {street}",
        "filler": "we had a table for {number} near the window | the kitchen closes at {number} "
        "o'clock | the menu is written on a {colour} board | {person} ordered the fish and i "
        "took the soup | the owner comes from {city} | there are {number} tables outside | the "
        "waiter wore a {colour} {garment} | we had not reserved a table | the bill came after "
        "{number} minutes | salt and pepper stand on every table | {person} drank water but i "
        "had tea | it opened in {month} in an old bank | the plates are {colour}",
    },
    {
        "thing": "hotel | hostel | inn | guest house | room | resort",
        "sg": "breakfast | room | service | bed | bathroom | location | view | garden | pool",
        "pl": "rooms | beds | towels | curtains | staff | corridors | meals | evenings",
        "mod": "on the top floor | at the back | of the new wing | in room {number}",
        "again": "stay there again | book it again | send {person} there",
        "other": "the airport | the beach in {city} | the hotel across the street | "
        "the flight from {city}",
        "filler": "the hotel has {number} floors and a {colour} door | we stayed for {number} "
        "nights in {month} | our room faced the {street} | the lift stops at floor {number} | "
        "keys are left at the desk | the carpet on the stairs is {colour} | {person} had the "
        "room beside ours | we did not use the pool | a {vehicle} stops in front of the house | "
        "it was built as a school but became a hotel | guests from {city} arrived on {day} | "
        "the desk closes at {number} | breakfast ends at {number} o'clock",
    },
    {
        "thing": "album | record | concert | single | live recording",
        "sg": "singing | sound | rhythm | first track | guitar | production | drumming | chorus",
        "pl": "lyrics | songs | melodies | solos | vocals | arrangements | ballads | drums",
        "mod": "on the second side | of track {number} | by {name} | near the end",
        "again": "listen to it again | buy the next one | play it for {person}",
        "other": "the last album of this band | the support band | the cover of the box | "
        "the single from {season}",
        "filler": "the album has {number} tracks | it was recorded in {city} in {month} | "
        "{name} plays the bass and {name} the piano | i heard it first on the radio | the "
        "record comes in a {colour} box | the band met at a school in {city} | {number} of the "
        "songs are in another language | the drummer is not on the photograph | the tour starts "
        "in {city} but ends in {city} | side two begins with the sound of a {vehicle} | {person} "
        "owns the same record | a violin joins after {number} minutes",
    },
    {
        "thing": "play | musical | opera | show | ballet | performance",
        "sg": "staging | acting | singing | dancing | orchestra | set | lighting | final act",
        "pl": "dancers | costumes | voices | dialogues | choirs | monologues | lead roles",
        "mod": "in the first act | after the interval | in the duel | of the second cast",
        "again": "see it again | go a second time | bring {person} along",
        "other": "the performance that we saw in {city} | the wine in the interval | "
        "the theatre in {city} | the speech before it",
        "filler": "the curtain rose at {number} o'clock | our seats were in row {number} | the "
        "stage shows a {colour} wall and a ladder | it is played in {number} acts | the king "
        "wears a {colour} {garment} | {name} sings the part of the baker | the interval lasted "
        "{number} minutes | the theatre was once a {vehicle} depot | we could not park near the "
        "{street} | the company comes from {city} | programmes are sold at the door but {person} "
        "had one | the story is set in {city} on a {day}",
    },
)

_CONTRACTIONS = re.compile(r"\b(is|are|was|were|does|do|did|would) not\b")
_SLOT = re.compile(r"\{(\w+)\}")
_CLAUSE = re.compile(r"\b[XYF]\b")
_WORD = re.compile(r"\w+|[^\w\s]")


def demo_examples(split: str, count: int, seed: int = DEMO_SEED) -> Examples:
    """Writes `count` labelled reviews of one split.

    The same arguments always give the same examples, and a larger `count` continues a smaller
    one. No text occurs twice in a split, nor in both, whatever the seeds.

    Args:
        split: str. `"train"` or `"dev"`.
        count: int. How many examples, at least 1.
        seed: int. Another seed gives other reviews.

    Returns:
        `Examples` with the labels 0 (negative) and 1 (positive).
    """
    if split not in ("train", "dev"):
        raise InputError(f'`split` must be "train" or "dev". Received: split={split!r}')
    if count < 1:
        raise InputError(f"`count` must be at least 1. Received: count={count}")
    reviews: dict[str, int] = {}
    for text, label in _stream(split, seed):
        reviews.setdefault(text, label)
        if len(reviews) == count:
            break
    return Examples(
        texts=np.array(list(reviews), dtype=object),
        text_pairs=None,
        labels=np.array(list(reviews.values()), dtype="int32"),
        label_names=LABEL_NAMES,
    )


def demo_titled_texts(seed: int = DEMO_SEED) -> Iterator[tuple[str, str]]:
    """Writes an endless stream of unlabelled reviews for pre-training, each with a title.

    A title is one word; three of four say what the review amounts to, the others the month. None
    of the texts is ever part of `demo_examples`, whatever the seeds.

    Yields:
        (title, text).
    """
    rng = random.Random(f"titles {seed}")
    for text, label in _stream("unlabelled", seed):
        review = _Review(rng, labelled=False)
        yield review.expand(review.choose(_TITLES), bool(label)), text


def demo_checkpoint() -> pathlib.Path:
    """Finds the embedded checkpoint, which lives in the repository beside the package."""
    folder = pathlib.Path(__file__).resolve().parents[2] / "checkpoints" / "demo"
    if not (folder / "model.safetensors").is_file():
        raise InputError(
            f"The demo needs the checkpoint that the repository holds in {folder}, and there is "
            "none: install the package from a clone with `pip install -e .`, or make it again "
            "with `python checkpoints/make_demo.py`."
        )
    return folder


def _stream(part: str, seed: int) -> Iterator[tuple[str, int]]:
    rng = random.Random(f"{part} {seed}")
    labelled = part != "unlabelled"
    for _ in itertools.count():
        label = int(rng.random() < 0.5)
        text = _Review(rng, labelled).write(label)
        # The checksum ignores case and punctuation, so that near twins stay together.
        checksum = zlib.crc32(" ".join(re.findall(r"\w+", text.lower())).encode())
        if checksum % 16 in _SHARES[part] and _count_words(text) <= MAX_WORDS:
            yield text, label


class _Review:
    """Writes one review of one thing.

    Only `random()` is drawn from the generator: its sequence alone is promised to stay the same
    from one Python version to the next.
    """

    def __init__(self, rng: random.Random, labelled: bool):
        self.rng = rng
        self.thing = self.pick(_THINGS)
        self.plan = self.choose(self.pick(_PLANS))
        if not labelled:
            self.plan += int((_UNLABELLED_MORE + 1) * rng.random()) * ". Y"

    def write(self, label: int) -> str:
        # Squaring leans towards short texts; the longest still come up.
        length = int(MAX_WORDS * self.rng.random() ** 2)
        core = _CLAUSE.sub(lambda clause: self.clause(clause[0], label), self.plan)
        sentences = self.expand(core).split(". ")
        if self.rng.random() < _OTHER_OPINION_RATE:
            # Either polarity, whatever the label.
            self.insert(sentences, self.expand(self.choose(_OTHER_OPINIONS), self.flip()))
        words = sum(map(_count_words, sentences))
        while words < length:
            filler = self.clause("F", label)
            if self.rng.random() < 0.3:
                filler = self.expand("{filler_lead}, ") + filler
            words += _count_words(filler)
            self.insert(sentences, filler)
        return self.polish(sentences)

    def clause(self, role: str, label: int) -> str:
        """A neutral clause (`F`), or an opinion that agrees (`Y`) or not (`X`) with the label."""
        if role == "F":
            return self.expand("{filler}")
        positive = bool(label) == (role == "Y")
        if self.rng.random() < _NEGATION_RATE:
            return self.expand(self.choose(_NEGATED), not positive)
        return self.expand(self.choose(_PLAIN), positive)

    def expand(self, template: str, positive: bool = True) -> str:
        opinions = _POSITIVE if positive else _NEGATIVE

        def fill(slot: re.Match) -> str:
            name = slot[1]
            # Half of the neutral clauses belong to the kind of thing, half to all.
            if name == "filler" and self.flip():
                entries = _SHARED[name]
            else:
                entries = self.thing.get(name) or opinions.get(name) or _SHARED[name]
            return self.expand(self.choose(entries), positive)

        return _SLOT.sub(fill, template)

    def insert(self, sentences: list[str], sentence: str):
        sentences.insert(int(self.rng.random() * (len(sentences) + 1)), sentence)

    def polish(self, sentences: list[str]) -> str:
        text = " ".join(
            f"{sentence[0].upper()}{sentence[1:].rstrip(',')}." for sentence in sentences
        )
        text = re.sub(r"\bi\b", "I", text)
        text = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)
        text = text.replace(",,", ",")
        if self.rng.random() < _CONTRACTION_RATE:
            text = _CONTRACTIONS.sub(r"\1n't", text)
        return text

    def choose(self, entries: str) -> str:
        return self.pick(entries.split(" | "))

    def pick(self, entries):
        return entries[int(self.rng.random() * len(entries))]

    def flip(self) -> bool:
        return self.rng.random() < 0.5


def _count_words(text: str) -> int:
    return len(_WORD.findall(text))
