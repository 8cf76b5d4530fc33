/** What onnxruntime-node reads from the environment as it is loaded: to be imported before it. */

/**
 * Its Linux and macOS builds report every session to Microsoft and keep an identifier of the device in the user's cache
 * folder, unless this is set.
 */
process.env.ORT_DISABLE_TELEMETRY = "1";

/** TensorFloat-32, CUDA's default, keeps ten bits of each factor: too few for Gram matrices. */
process.env.NVIDIA_TF32_OVERRIDE ??= "0";
