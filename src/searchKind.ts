/** How ranks are searched: by answers of all samples, as far as they decide, or by tests on a few. */
export const searchKinds = ["exact", "fast"] as const;
export type SearchKind = (typeof searchKinds)[number];
