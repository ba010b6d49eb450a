import type { Mutation } from "../mutation.ts";

/** The file's text with the mistake in it. Throws unless `find` occurs exactly once. */
export function mistaken({ file, find, replace }: Mutation, text: string): string {
  const times = text.split(find).length - 1;
  if (times !== 1) throw new Error(`${file} has the text to replace ${times} times`);
  // A function, so that `$&` and the like in the text have no meaning.
  return text.replace(find, () => replace);
}
