import type { Hook } from "@hono/zod-openapi";
import type { Context, Env } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Logger } from "pino";
import { isUnavailable } from "../store/unavailable.ts";
import { Problem, sendProblem, unavailable } from "./problem.ts";

/** Turns a request's schema errors into the problem that lists its bad fields. */
export const invalidFields: Hook<unknown, Env, string, unknown> = (result) => {
  if (result.success) return;
  const errors = result.error.issues.map(({ path, message }) => ({
    path: path.join("."),
    message,
  }));
  throw new Problem("invalid_request", errors.map((e) => `${e.path}: ${e.message}`).join("; "), {
    errors,
  });
};

/** Answers any error as a problem. What is not a refusal of ours is logged, and told without details. */
export function answerError(error: Error, c: Context, log: Logger) {
  if (error instanceof Problem) return sendProblem(c, error);
  if (error instanceof HTTPException && error.status === 400)
    return sendProblem(c, new Problem("malformed_json"));
  if (isUnstorable(error))
    return sendProblem(
      c,
      new Problem("invalid_request", "A text holds a character we cannot keep."),
    );
  if (isUnavailable(error)) {
    log.warn({ err: error }, "a store is away");
    return sendProblem(c, unavailable("store"));
  }
  log.error({ err: error, path: c.req.path }, "a request failed");
  return sendProblem(c, new Problem("internal_error", "It was logged. Try again, or tell us."));
}

/** SQLSTATE character_not_in_repertoire and untranslatable_character: PostgreSQL keeps no NUL. */
const UNSTORABLE = ["22021", "22P05"];

function isUnstorable({ cause }: Error): boolean {
  return UNSTORABLE.includes((cause as { code?: string } | undefined)?.code ?? "");
}
