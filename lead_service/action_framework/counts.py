"""Count the questions and estimate the minutes, in words, for the pages that mention them."""

from functools import lru_cache

from .types import Framework, Step

WORDS_A_MINUTE = 200
_SMALL = (
    *("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
)


def spelled(number: int) -> str:
    """Write a count for a sentence: twelve, 24."""
    return _SMALL[number] if number < len(_SMALL) else str(number)


def counted(number: int, noun: str) -> str:
    """Write a count with its noun: one question, two questions."""
    return f"{spelled(number)} {noun}{'' if number == 1 else 's'}"


class Counts:
    """The counts of questions, steps and minutes of the self-assessment."""

    def __init__(self, framework: Framework) -> None:
        number = len(framework.questions)
        self._number = number
        self.questions = spelled(number)
        self.steps = spelled(len(framework.steps))
        self.minutes = counted(_minutes(framework), "minute")

    def of(self, step: Step) -> str:
        """Count the questions of a step: two questions."""
        return counted(len(step.questions), "question")

    def some(self, step: Step) -> str:
        """Count the questions of a step without the noun: two."""
        return spelled(len(step.questions))

    def others(self, step: Step) -> str:
        """Count the questions of all other steps: ten."""
        return spelled(self._number - len(step.questions))


@lru_cache(maxsize=8)
def counts(framework: Framework) -> Counts:
    """Return the counts of a framework."""
    return Counts(framework)


def _minutes(framework: Framework) -> int:
    """Estimate how long it takes to read all questions and choices."""
    texts = [framework.phase_question or "", *(phase.label for phase in framework.phases)]
    for question in framework.questions:
        texts += [question.text, *(choice.text for choice in question.choices)]
    words = sum(len(text.split()) for text in texts)
    return max(1, (2 * words + WORDS_A_MINUTE) // (2 * WORDS_A_MINUTE))
