/** Calls `act` once, `wait` milliseconds after the last call. */
export function debounced(wait: number, act: () => void): () => void {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(act, wait);
  };
}

/** Calls `act` at once, and then at most every `pause` milliseconds; the last call is never lost. */
export function throttled(pause: number, act: () => void): () => void {
  let timer = 0;
  let last = -Infinity;
  const run = (): void => {
    timer = 0;
    last = performance.now();
    act();
  };
  return () => {
    const wait = last + pause - performance.now();
    if (wait <= 0) run();
    else timer ||= window.setTimeout(run, wait);
  };
}
