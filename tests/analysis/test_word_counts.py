from power_bert_tf.analysis.word_counts import draw_word_counts


def test_it_is_drawn(tmp_path):
    words = [12.0, 6.0, 1.0]
    draw_word_counts(dict.fromkeys(("5", "25", "50", "75", "95"), words), tmp_path / "words.png")
    assert (tmp_path / "words.png").read_bytes().startswith(b"\x89PNG")
