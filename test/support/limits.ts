/**
 * By how much slower a machine may be than the one that the tests were written on. A wait is for a
 * condition and ends with it, so a wide limit costs nothing but where something is wrong.
 */
const SLOWNESS = 3;

/** The limit (ms) of what takes at most so long (ms) on an idle machine of two cores. */
export const limit = (ms: number) => ms * SLOWNESS;
