import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

/** Runs a program of the service, with its arguments, to its end; resolves with its exit code and what it said. */
export async function runToEnd(words: string, variables: Record<string, string>) {
  const child = spawn(process.execPath, ["--import", "tsx", ...words.split(" ")], {
    env: { ...process.env, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exit = new Promise((resolve) => child.once("exit", resolve));
  const [code, ...written] = await Promise.all([exit, text(child.stdout), text(child.stderr)]);
  return { code, said: written.join("") };
}
