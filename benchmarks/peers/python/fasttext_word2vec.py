"""Skip-gram with negative sampling in fastText's Python package, for machines without its program.

The time includes reading the words.
"""

import time

import fasttext

from protocol import serve


class FastText:
    def __init__(self, settings):
        self.settings = settings

    def train(self, question):
        settings = self.settings
        begin = time.perf_counter()
        model = fasttext.train_unsupervised(
            settings["text"],
            model="skipgram",
            dim=settings["dim"],
            ws=settings["window"],
            neg=settings["negatives"],
            t=settings["subsample"],
            epoch=settings["epochs"],
            thread=settings["threads"],
            minCount=1,
            minn=0,
            maxn=0,
            verbose=0,
        )
        seconds = time.perf_counter() - begin
        words = model.get_words()
        with open(question["vectors"], "w", encoding="utf-8") as file:
            file.write(f"{len(words)} {settings['dim']}\n")
            for word in words:
                file.write(f"{word} {' '.join(f'{value:.6g}' for value in model.get_word_vector(word))}\n")
        return {"seconds": seconds}


if __name__ == "__main__":
    serve(FastText)
