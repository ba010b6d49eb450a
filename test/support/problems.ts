import { expect } from "vitest";
import { PROBLEMS, type ProblemCode } from "../../core/problem.ts";
import type { Answer, ProblemBody } from "./client.ts";

/** Expects an answer to be exactly this problem, and to show nothing of the code behind it. */
export function expectProblem<Code extends ProblemCode>(
  answer: Answer<unknown>,
  ...codes: [Code, ...Code[]]
): ProblemBody {
  const { problem } = answer;
  expect(codes, answer.text).toContain(problem.code);
  const { status, title } = PROBLEMS[problem.code];
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(problem).toMatchObject({
    type: `urn:second-step:problem:${problem.code}`,
    title,
    status,
    detail: expect.stringMatching(/\S/),
  });
  if (status === 429 || status === 503)
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  expectNothingInternal(answer.text);
  return problem;
}

/** Expects no stack traces, file names of this program, or SQL. */
export function expectNothingInternal(text: string): void {
  expect(text).not.toMatch(/\bat .*:\d+:\d+|node_modules|\.tsx?\b|\bselect\b|\binsert into\b/i);
}
