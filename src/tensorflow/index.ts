import { symmetricEigen, type SymmetricEigensolver } from "../numerics/eigen";
import { LEAST_SIZE, tensorflowEigen } from "./eigensolver";
import { loadTensorflow, TENSORFLOW_PACKAGE, type Tensorflow } from "./nodeBackend";

/** How eigenproblems are solved. */
export interface Eigensolver {
  readonly solve: SymmetricEigensolver;
  /** The package whose kernels solve the large ones; null for RankLens's own solver alone. */
  readonly name: string | null;
}

/** TensorFlow on a GPU for large matrices where `@tensorflow/tfjs-node-gpu` is installed, else RankLens's own solver. */
export function chooseEigensolver(tensorflow: Tensorflow | null = loadTensorflow()): Eigensolver {
  if (!tensorflow?.backend().isUsingGpuDevice) return { solve: symmetricEigen, name: null };
  return {
    solve: (a, leading) =>
      (a.rows >= LEAST_SIZE ? tensorflowEigen(tensorflow, a, leading) : null) ?? symmetricEigen(a, leading),
    name: `${TENSORFLOW_PACKAGE} ${tensorflow.version["tfjs-node"] ?? ""}`.trim(),
  };
}
