"""Skip-gram with negative sampling in gensim, from a file, its quickest way with several threads."""

import time

from gensim.models import Word2Vec

from protocol import serve


class Gensim:
    def __init__(self, settings):
        self.settings = settings

    def train(self, question):
        settings = self.settings
        model = Word2Vec(
            vector_size=settings["dim"],
            window=settings["window"],
            negative=settings["negatives"],
            sample=settings["subsample"],
            min_count=1,
            sg=1,
            workers=settings["threads"],
            epochs=settings["epochs"],
            seed=question["seed"],
        )
        model.build_vocab(corpus_file=settings["text"])
        begin = time.perf_counter()
        model.train(
            corpus_file=settings["text"],
            total_examples=model.corpus_count,
            total_words=model.corpus_total_words,
            epochs=settings["epochs"],
        )
        seconds = time.perf_counter() - begin
        model.wv.save_word2vec_format(question["vectors"])
        return {"seconds": seconds}


if __name__ == "__main__":
    serve(Gensim)
