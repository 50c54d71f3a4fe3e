from itertools import islice
from pathlib import Path
from random import Random

import pytest
import torch
from p3_rag_chatbot.training.examples import Example
from p3_rag_chatbot.training.reader_batches import ReaderBatches, as_batch, cut_short
from tokenizers import Tokenizer, models, pre_tokenizers, processors

TEXT = "[PAD] [UNK] [CLS] [SEP] who where when sang lived ann bob rome paris in the . ?"
WORDS = TEXT.split()


@pytest.fixture
def tokenizer() -> Tokenizer:
    made = Tokenizer(models.WordLevel({word: k for k, word in enumerate(WORDS)}, "[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )  # fmt: skip
    return made


def example(k: int) -> Example:
    passage = "ann sang in rome . " * (1 + k % 5) + "bob lived in paris ."
    start = passage.index("paris")
    return Example("where bob lived ?", passage, start, start + 5, ("paris",), "a", holds=True)


def batches(tokenizer: Tokenizer, n: int = 40, **more: int) -> ReaderBatches:
    return ReaderBatches([example(k) for k in range(n)], tokenizer, batch_size=4, **more)


def equal(one, other) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_target_is_where_the_answer_stands(tokenizer: Tokenizer) -> None:
    one = example(0)
    code = tokenizer.encode(one.question, one.passage)
    ids, _mask, types, start, end, holds, has_span = as_batch([code], [one])
    assert WORDS[ids[0, start[0]]] == "paris"
    assert start[0] == end[0]
    assert types[0, start[0]] == 1
    assert (holds[0], has_span[0]) == (1, 1)


def test_an_answer_that_was_cut_off_is_no_answer(tokenizer: Tokenizer) -> None:
    one = example(4)
    tokenizer.enable_truncation(12, strategy="only_second")
    code = tokenizer.encode(one.question, one.passage)
    _ids, _mask, _types, start, _end, holds, _has_span = as_batch([code], [one])
    assert (start[0], holds[0]) == (0, 0)


def test_an_epoch_is_the_same_each_time_and_another_is_not(tokenizer: Tokenizer) -> None:
    made = batches(tokenizer)
    assert all(map(equal, made.epoch(0), made.epoch(0)))
    assert not all(map(equal, made.epoch(0), made.epoch(1)))


@pytest.mark.parametrize("start", [1, 5, 9])
def test_an_epoch_goes_on_where_it_was_left(tokenizer: Tokenizer, start: int) -> None:
    made = batches(tokenizer)
    whole = list(made.epoch(2))
    assert len(whole) == made.n_batches()
    rest = list(made.epoch(2, start=start))
    assert len(rest) == len(whole) - start
    assert all(map(equal, rest, islice(whole, start, None)))


def test_parts_of_a_pass_are_of_equal_length(tokenizer: Tokenizer) -> None:
    made = batches(tokenizer, n_parts=3)
    assert [len(list(made.epoch(k))) for k in range(3)] == [made.n_batches()] * 3


def test_a_passage_cut_short_still_holds_its_answer() -> None:
    passage = "Ann sang in Rome. She was loud. Bob lived in Paris. It rained. Then he left."
    start = passage.index("Paris")
    one = Example("Where?", passage, start, start + 5, ("Paris",), holds=True)
    cuts = [cut_short(one, 8, Random(k)) for k in range(20)]
    assert {cut.answer for cut in cuts} == {"Paris"}
    assert {cut.passage for cut in cuts} == {
        "She was loud. Bob lived in Paris.",
        "Bob lived in Paris. It rained.",
    }


@pytest.mark.slow
def test_the_reader_learns_where_answers_stand(tokenizer: Tokenizer, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    from p2_nn_service import Recipe, fit
    from p3_rag_chatbot.training.reader_network import ReaderNetwork, reader_loss
    from p3_rag_chatbot.training.reader_training import measure
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=384, num_hidden_layers=1, num_attention_heads=4,
        intermediate_size=64,
    )  # fmt: skip
    network = ReaderNetwork(BertModel(config, add_pooling_layer=False))
    recipe = Recipe(epochs=6, batch_size=4, learning_rate=1e-3, precision="fp32", warm_up=0.1)
    fit(network, batches(tokenizer), reader_loss, recipe)
    network.eval()
    with torch.no_grad():
        found = measure(network, tokenizer, [example(k) for k in range(8)])
    assert found["forced_f1"] > 0.9
