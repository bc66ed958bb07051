"""Learned words (textual inversion, arXiv 2208.01618) in the texts that a pipeline is told."""

import re
from typing import Any

from t2v.diffusion.subject import word_places


class LearnedWords:
    """A pipeline's part that knows which words of prompts are learned vectors, with its ``tokenizer``."""

    tokenizer: Any

    @property
    def words(self) -> dict[str, str]:
        """Words of prompts, in small letters, that are learned vectors -> the tokens that stand for them."""
        return self.__dict__.setdefault("_words", {})

    def worded(self, text: str) -> str:
        """A text with such words, whatever their capitals, as their tokens."""
        for word, tokens in self.words.items():
            text = re.sub(rf"(?<![\w-]){re.escape(word)}(?![\w-])", tokens, text, flags=re.IGNORECASE)
        return text

    def maybe_convert_prompt(self, prompt: Any, tokenizer: Any) -> Any:
        """What diffusers asks of each text before it is encoded: here its learned words by ``words``."""
        return self.worded(prompt) if isinstance(prompt, str) else [self.worded(one) for one in prompt]

    def places_of(self, prompt: str, words: str) -> list[int]:
        """Which of the prompt's tokens, as it is encoded, the words are; the rest as ``word_places``."""
        return word_places(self.tokenizer, self.worded(prompt), self.worded(words))
