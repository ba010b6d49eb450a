// Runs command-line commands in one process, because a process for each command takes seconds to
// load the shared code. The parent sends a command and gets back what it printed.
import { Readable } from "node:stream";
import type { Command } from "commander";
import { explain } from "../../scripts/cli/explain.ts";
import { cliProgram } from "../../scripts/cli/program.ts";

export type Asked = { env: Record<string, string | undefined>; args: string[]; input: string };
export type Ran = { code: number; out: string; err: string };

process.on("message", async (asked: Asked) => process.send?.(await run(asked)));
process.on("disconnect", () => process.exit());

async function run({ env, args, input }: Asked): Promise<Ran> {
  process.env = { ...env };
  process.exitCode = 0;
  Object.defineProperty(process, "stdin", { value: Readable.from([input]), configurable: true });
  const [out, err] = [keptFrom(process.stdout), keptFrom(process.stderr)];
  const code = await exitCodeOf(args);
  return { code, out: out(), err: err() };
}

async function exitCodeOf(args: string[]): Promise<number> {
  const program = cliProgram();
  let left: number | undefined;
  for (const command of [program, ...below(program)])
    command.exitOverride(({ exitCode, ...error }) => {
      left = exitCode;
      throw error;
    });
  try {
    await program.parseAsync(args, { from: "user" });
    return Number(process.exitCode);
  } catch (error) {
    if (left === undefined) console.error(explain(error));
    return left ?? 1;
  }
}

const below = (command: Command): Command[] =>
  command.commands.flatMap((each) => [each, ...below(each)]);

/** Captures what is written to a stream, until the returned function is called. */
function keptFrom(stream: NodeJS.WriteStream): () => string {
  const { write } = stream;
  const kept: Buffer[] = [];
  stream.write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
    kept.push(Buffer.from(chunk as string));
    const done = rest.find((each) => typeof each === "function") as (() => void) | undefined;
    if (done) queueMicrotask(done);
    return true;
  }) as typeof write;
  return () => {
    stream.write = write;
    return Buffer.concat(kept).toString("utf8");
  };
}
