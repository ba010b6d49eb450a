/**
 * How many times slower a machine may be than the one the tests were written on. A wait ends as
 * soon as its condition is true, so a wide limit costs time only when a test fails.
 */
const SLOWNESS = 3;

/** The limit in ms for something that takes at most `ms` on an idle machine with two cores. */
export const limit = (ms: number) => ms * SLOWNESS;
