import type { Answer, ApiClient } from "../../support/client.ts";
import type { Stack } from "../../support/stack.ts";
import type { Needs, World } from "./worlds.ts";

/** What there is of a user that requests read and write, beside the session that they come by. */
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
  /** What was asked for, in the user's words. */
  name: string;
  send(api: ApiClient, world: World, stack: Stack): Promise<Answer<unknown>>;
  writes: Part[];
  /** What it depends on without changing it. */
  reads?: Part[];
  needs?: Needs;
  /** The type of the event that a success leaves. */
  event?: string;
  /** What no success leaves alive: the session that asks, or every one, those opened meanwhile too. */
  ends?: "own" | "every";
  /** The status where it is refused, though it changes something. */
  refused?: number;
  /** All that it checks is checked by the store or the flow that writes: only the full form has it wait. */
  atomic?: true;
};

export const ME = "/v1/me";
export const NEW_PASSWORD = "quite another one 73";

/** Where the user's multi-factor authentication is at /v2.0. */
export const multiFactor = ({ person }: World) => `/v2.0/users/${person.id}/RAX-AUTH/multi-factor`;

/** A call of /v1, by whose token it is. */
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

/** The change of it as a whole. */
export const whole = () => "";
export const settings = (change: object) => ({ "RAX-AUTH:multiFactor": change });

/** The log-in of the world's user, from where they are. */
export const logIn = (api: ApiClient, { person, from }: World, password = person.password) =>
  api.logIn({ ...person, password }, { headers: { "x-forwarded-for": from } });

/** With the password that a change of it gave. */
export const logInAnew = (api: ApiClient, world: World) => logIn(api, world, NEW_PASSWORD);
