/**
 * To be imported before onnxruntime-node: its Linux and macOS builds report every session to Microsoft and keep an
 * identifier of the device in the user's cache folder, unless this is set when they are loaded.
 */
process.env.ORT_DISABLE_TELEMETRY = "1";
