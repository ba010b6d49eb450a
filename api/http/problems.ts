import type { Hook, z } from "@hono/zod-openapi";
import type { Context, Env } from "hono";
import { HTTPException } from "hono/http-exception";
import { routePath } from "hono/route";
import type { Logger } from "pino";
import type { SupportContact } from "../../config.ts";
import { PROBLEMS, Problem, type ProblemCode } from "../../core/problem.ts";
import { withSupport } from "../../core/support/support-contact.ts";
import { MISSING } from "../../plain-faults.ts";
import { TooManyPasswords } from "../../store/passwords.ts";
import { isUnavailable } from "../../store/unavailable.ts";
import { AWAY } from "../../telemetry/away.ts";
import { FlowBusy, RemovalUnderWay, TemporalAway } from "../../temporal/errors.ts";

type Issue = z.core.$ZodIssue;

/** Turns a request's schema errors into the problem that lists its bad fields. */
export const invalidFields: Hook<unknown, Env, string, unknown> = (result) => {
  if (!result.success) throw fieldsProblem(result.error.issues.flatMap(ofNearestForm));
};

/**
 * Where a body may have several forms, the faults of the one that it comes nearest to: the first of
 * which no member is missing, or else the first.
 */
function ofNearestForm(issue: Issue): readonly Issue[] {
  if (issue.code !== "invalid_union") return [issue];
  const forms = issue.errors;
  const isMissing = ({ path, message }: Issue) => path.length === 1 && message === MISSING;
  const nearest = forms.find((faults) => !faults.some(isMissing)) ?? forms[0];
  return (nearest ?? [issue]).map((fault) => ({ ...fault, path: [...issue.path, ...fault.path] }));
}

/** How many faults one response lists at most; a list in a request may have many more. */
const MOST_FAULTS = 20;

/** The problem that lists the bad fields of a request, at most `MOST_FAULTS` of them. */
export function fieldsProblem(issues: readonly Pick<Issue, "path" | "message">[]): Problem {
  const errors = issues
    .slice(0, MOST_FAULTS)
    .map(({ path, message }) => ({ path: path.join("."), message }));
  const detail = errors.map((e) => `${e.path}: ${e.message}`).join("; ");
  return new Problem("invalid_request", detail, { errors });
}

/** Answers any error as a problem. The problem of a locked account names Support's contact. */
export function answerError(error: Error, c: Context, log: Logger, support?: SupportContact) {
  return sendProblem(c, withSupport(problemOf(error, routePath(c), log), support));
}

/**
 * The problem for an error of a route. Errors other than refusals are logged, and the client gets
 * no details.
 */
export function problemOf(error: Error, route: string, log: Logger): Problem {
  const problem = asProblem(error);
  if (isOfTemporal(error))
    log.warn(
      { err: error.cause ?? error },
      error instanceof FlowBusy ? error.message : AWAY.temporal,
    );
  else if (problem.code === "internal_error") log.error({ err: error, route }, "a request failed");
  else if (isUnavailable(error)) log.warn({ err: error }, AWAY.store);
  return problem;
}

/** The code of the problem that clients get for an error. */
export const problemCode = (error: Error): ProblemCode => asProblem(error).code;

function asProblem(error: Error): Problem {
  if (error instanceof Problem) return error;
  if (isOfTemporal(error))
    return unavailable("temporal", error instanceof RemovalUnderWay ? REMOVAL_GOES_ON : undefined);
  const ofHono = error instanceof HTTPException && OF_HONO[error.status];
  if (ofHono) return new Problem(ofHono);
  if (isUnstorable(error))
    return new Problem("invalid_request", "The text has a character that is not allowed.");
  if (error instanceof TooManyPasswords)
    return new Problem("service_unavailable", "The service is busy. Try again in a moment.", {
      retryAfterS: 1,
    });
  if (isUnavailable(error)) return unavailable("store");
  return new Problem("internal_error", "The error was logged. Try again, or contact Support.");
}

const isOfTemporal = (error: Error): boolean =>
  error instanceof TemporalAway || error instanceof FlowBusy;

/** The problems that Hono finds itself, by status. */
const OF_HONO: Record<number, ProblemCode> = {
  400: "malformed_json",
  415: "unsupported_media_type",
};

const REMOVAL_GOES_ON =
  "The devices are being removed. This continues in the background. Check again in a moment.";

/** A dependency is unavailable. Nothing was lost, so the client should try again. */
function unavailable(dependency: "store" | "temporal", detail?: string) {
  return new Problem(
    "service_unavailable",
    detail ?? `The service (${dependency}) is not available. Nothing was lost. Try again.`,
    { retryAfterS: 2, members: { dependency } },
  );
}

/** The problem as its body's JSON. */
export function problemBody(problem: Problem) {
  const { errors, members } = problem.extra;
  return {
    type: `urn:second-step:problem:${problem.code}`,
    title: PROBLEMS[problem.code].title,
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    ...(errors && { errors }),
    ...members,
  };
}

/** Answers a request with the problem. */
export function sendProblem(c: Context, problem: Problem) {
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  const { retryAfterS, allow } = problem.extra;
  if (retryAfterS !== undefined) headers["retry-after"] = String(Math.max(1, retryAfterS));
  if (allow !== undefined) headers.allow = allow;
  return c.body(JSON.stringify(problemBody(problem)), problem.status, headers);
}

/**
 * SQLSTATE character_not_in_repertoire and untranslatable_character: PostgreSQL cannot store NUL.
 */
const UNSTORABLE = ["22021", "22P05"];

function isUnstorable({ cause }: Error): boolean {
  return UNSTORABLE.includes((cause as { code?: string } | undefined)?.code ?? "");
}
