/**
 * The commands in a document's shell blocks, one an entry, each with its block. A line that goes on
 * after a backslash is one command. Definitions of functions are left out.
 */
export function shellBlocks(text: string): { block: string; line: string }[] {
  return [...text.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = ""]) =>
    block
      .replace(/^\w+\(\) \{\n.*?^\}\n/gms, "")
      .replace(/\\\n\s*/g, "")
      .split("\n")
      .filter((line) => line && !/^\w+\(\) \{.*\}$/.test(line))
      .map((line) => ({ block, line })),
  );
}
