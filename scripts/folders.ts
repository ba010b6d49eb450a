import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder this project is checked out in. */
export const checkoutFolder = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where programs that were built or downloaded are kept; they can be made again at any time. */
export const cacheFolder = resolve(checkoutFolder, process.env.SECOND_STEP_CACHE ?? ".cache");

/** Where programs of the cache are found under their usual names. */
export const cachedPrograms = join(cacheFolder, "bin");

/** Where the embedded stack keeps its data, its secrets and its logs. */
export const dataFolder = resolve(checkoutFolder, process.env.DATA_DIR ?? ".data");
