import type { Answer, ApiClient } from "../../support/client.ts";
import type { Stack } from "../../support/stack.ts";
import type { Needs, World } from "./worlds.ts";

/** The parts of a user that requests read and write, apart from their own session. */
export type Part =
  | "devices"
  | "unverified"
  | "codes"
  | "default"
  | "requirement"
  | "password"
  | "address"
  | "role"
  | "lock"
  | "sessions"
  | "challenge";

export type Request = {
  /** The request in a user's words. */
  name: string;
  send(api: ApiClient, world: World, stack: Stack): Promise<Answer<unknown>>;
  writes: Part[];
  /** The parts that it reads and does not change. */
  reads?: Part[];
  needs?: Needs;
  /** The type of the event that a success leaves. */
  event?: string;
  /** The sessions that a success ends: its own, or all, including those opened at the same time. */
  ends?: "own" | "every";
  /** The status of a refusal that still changes something. */
  refused?: number;
  /** The store or flow that writes does all checks, so only the full form makes it wait. */
  atomic?: true;
};

export const ME = "/v1/me";
export const NEW_PASSWORD = "quite another one 73";

/** The path of the user's multi-factor resource at /v2.0. */
export const multiFactor = ({ person }: World) => `/v2.0/users/${person.id}/RAX-AUTH/multi-factor`;

/** A call of /v1 with the token of this person. */
export const v1 =
  (
    who: "token" | "chief" | "support",
    method: string,
    path: (world: World) => string,
    body?: (world: World) => object,
  ): Request["send"] =>
  (api, world) =>
    api.call(method, path(world), {
      token: world[who],
      headers: { "x-forwarded-for": world.from },
      body: body?.(world),
    });

/** A call of /v2.0 about the user's multi-factor authentication. */
export const v2 =
  (
    who: "token" | "chief",
    method: string,
    path: (world: World) => string,
    body?: object,
  ): Request["send"] =>
  (api, world) =>
    api.call(method, multiFactor(world) + path(world), {
      headers: { "x-auth-token": world[who] },
      body,
    });

/** The path of the whole resource, for changes of its settings. */
export const whole = () => "";
export const settings = (change: object) => ({ "RAX-AUTH:multiFactor": change });

/** Logs in the world's user from their own address. */
export const logIn = (api: ApiClient, { person, from }: World, password = person.password) =>
  api.logIn({ ...person, password }, { headers: { "x-forwarded-for": from } });

/** Logs in with the new password. */
export const logInAnew = (api: ApiClient, world: World) => logIn(api, world, NEW_PASSWORD);
