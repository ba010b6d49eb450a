/** The log's words for a dependency that does not answer. */
export const AWAY = {
  redis: "redis is away",
  store: "a store is away",
  temporal: "temporal is away",
} as const;
