import { z } from "@hono/zod-openapi";
import { PROBLEMS, type ProblemCode } from "../../core/problem.ts";
import { idempotencyKeySchema } from "../http/idempotency.ts";
import { problemSchema } from "./answers.ts";

/** Problems that any route can answer. */
const ANYWHERE: ProblemCode[] = ["service_unavailable", "internal_error"];

/** Problems with a body that is refused before the route reads it. */
const BODY_REFUSED: ProblemCode[] = ["unsupported_media_type", "body_too_large"];

const WITH_BODY: ProblemCode[] = [...BODY_REFUSED, "malformed_json", "invalid_request"];

const WITH_POST: ProblemCode[] = [
  ...BODY_REFUSED,
  "invalid_request",
  "idempotency_key_reused",
  "request_in_progress",
];

const WITH_SESSION: ProblemCode[] = [
  "unauthenticated",
  "session_expired",
  "session_revoked",
  "setup_only",
];
/** Problems of routes that need a role. */
const WITH_ROLE: ProblemCode[] = ["forbidden", "reauthentication_required"];

/** The ID in a path. */
export const idParam = z.object({ id: z.string().openapi({ param: { name: "id", in: "path" } }) });

/** The `request` part of a POST: its JSON body, if any, and the Idempotency-Key it may carry. */
export function post<Body extends z.ZodType | undefined = undefined>(body?: Body) {
  const headers = z.object({
    "idempotency-key": idempotencyKeySchema.optional().openapi({
      description:
        "Repeating a request with the same key returns the first response, for a day and while " +
        "the session or challenge of the request lasts. A login's response is only stored if the " +
        "login succeeded.",
    }),
  });
  return { headers, ...(body && jsonBody(body)) } as Body extends z.ZodType
    ? { headers: typeof headers } & ReturnType<typeof jsonBody<Body>>
    : { headers: typeof headers };
}

/** The `request` part of a call with a JSON body. It may be left out if every member may. */
export function jsonBody<Body extends z.ZodType>(body: Body) {
  const required = !body.safeParse({}).success;
  return { body: { required, content: { "application/json": { schema: body } } } } as const;
}

/** A JSON answer. */
export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}

type Takes = { session?: boolean; role?: boolean; body?: boolean; post?: boolean };

/**
 * A route's `responses` for its own problems and for those that come with what it takes. The return
 * type is a bare `object`, because handlers throw problems and do not return them.
 */
export function problems({ session, role, body, post }: Takes, ...own: ProblemCode[]): object {
  const codes = [
    ...own,
    ...(session ? WITH_SESSION : []),
    ...(role ? WITH_ROLE : []),
    ...(body ? WITH_BODY : []),
    ...(post ? WITH_POST : []),
    ...ANYWHERE,
  ];
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set(codes)) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join("\n\n"),
        content: { "application/problem+json": { schema: problemSchema } },
      },
    ]),
  );
}

/** The OpenAPI `security` of routes that need a session. */
export const bearer = [{ bearer: [] }];
