import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from keras import ops
from keras.src import testing
from layers import numpy_reference
from layers.strategies import few_examples
from layers.strategies import masks

from power_bert_tf.methods.power_bert.relative_budget import RelativeBudget


class RelativeBudgetTest(testing.TestCase):
    def test_layer(self):
        # Integer input has no gradient to train by.
        self.run_layer_test(
            RelativeBudget,
            init_kwargs={"length": 3, "reference_length": 8},
            input_shape=(2, 4),
            input_dtype="int32",
            expected_output_shape=(2,),
            expected_output_dtype="int32",
            expected_num_trainable_weights=0,
            run_training_check=False,
        )


def test_rounds_up():
    # 3 of 8: of 8 words 3, of 3 words 1.125 and so 2, of 1 word 0.375 and so 1.
    mask = (np.arange(8)[None, :] < np.array([[8], [3], [1]])).astype("int32")
    np.testing.assert_array_equal(RelativeBudget(3, 8)(mask), [3, 2, 1])


def test_a_text_without_words():
    np.testing.assert_array_equal(RelativeBudget(3, 8)(np.zeros((1, 4), "int32")), [1])


@few_examples
@given(mask=masks(), length=st.integers(1, 1000), more=st.integers(0, 1000))
def test_agrees_with_numpy(mask, length, more):
    budgets = ops.convert_to_numpy(RelativeBudget(length, length + more)(mask))
    for text, budget in enumerate(budgets):
        assert budget == numpy_reference.relative_budget(mask[text].sum(), length, length + more)


def test_the_finest_fractions_of_the_longest_texts():
    mask = np.ones((1, 2048), "int32")
    np.testing.assert_array_equal(RelativeBudget(999_999, 1_000_000)(mask), [2048])
    np.testing.assert_array_equal(RelativeBudget(500_000, 1_000_000)(mask), [1024])
