import * as tf from "@tensorflow/tfjs";

// name: "dense_1"
export function build(units) {
  const model = tf.sequential({ name: "mnist" });
  model.add(tf.layers.conv2d({ inputShape: [28, 28, 1], kernelSize: 3, filters: 32, name: "conv_in" }));
  model.add(tf.layers.flatten());
  model.add(tf.layers.dense({ units, activation: "linear", name: "dense_1" }));
  model.add(tf.layers.dense({ units: 10, name: "logits" }));
  return model;
}

export const kernel = (model) => model.getLayer("dense_1").getWeights()[0];
export const names = ["dense_1/kernel", "dense_1", `dense_1/kernel`, "conv_in" + "/bias"];
