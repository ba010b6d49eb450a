import { join } from "node:path";
import { expect, test } from "vitest";
import { checkoutFolder } from "../../scripts/folders.ts";
import { runProgram } from "../../scripts/programs.ts";
import { GO_PROGRAMS, goProgram } from "../support/go-programs.ts";
import { limit } from "../support/limits.ts";

test(
  "docker-compose.yml is what the Compose Specification allows",
  async () => {
    const program = await goProgram(GO_PROGRAMS.compose);
    const check = (file: string) =>
      // Without a value for each variable: another test checks that they are all asked for.
      runProgram(program, ["-no-interpolation", "-no-path-resolution", file], {
        cwd: checkoutFolder,
      });
    expect(await check("docker-compose.yml")).toContain("promote-worker");
    const wrong = join(import.meta.dirname, "wrong-compose.yml");
    await expect(check(wrong)).rejects.toThrow("memory_limit is not allowed");
  },
  limit(300_000),
);
