// The tests as `.ci/run` runs them; arguments go to vitest.
import { testTwice, vitest } from "./test-twice.ts";

process.exitCode = await testTwice(vitest(process.argv.slice(2)), console.log);
