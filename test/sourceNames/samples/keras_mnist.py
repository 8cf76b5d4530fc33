"""name="dense_1" in a docstring is no layer."""
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


def functional(units=128):
    inputs = keras.Input(shape=(28, 28, 1), name="image")
    x = layers.Conv2D(32, 3, activation="relu", name="conv_in")(inputs)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(units, activation="relu", name="dense_1")(x)  # name="dense_2"
    outputs = layers.Dense(10, activation="linear", name='logits')(x)
    return keras.Model(inputs, outputs, name="mnist")


class SelfAttention(layers.Layer):
    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.query = layers.Dense(size, name="query")
        self.key = layers.Dense(size, name="key")


model = functional()
model.get_layer("dense_1").trainable = False
print(model.get_layer(name="logits").kernel, "dense_1", "linear")
kernels = [variable for variable in model.variables if variable.name == "dense_1/kernel:0"]
