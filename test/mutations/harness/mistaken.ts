import type { Mutation } from "../mutation.ts";

/** The file's text with the mistake in it. Throws where the text to replace is not there exactly once. */
export function mistaken({ file, find, replace }: Mutation, text: string): string {
  const times = text.split(find).length - 1;
  if (times !== 1) throw new Error(`${file} has the text to replace ${times} times`);
  // A function: `$&` and the like in a text mean nothing.
  return text.replace(find, () => replace);
}
