import { newId } from "../../../store/ids.ts";
import { createAccount } from "../../../store/postgres/accounts.ts";
import type { Answer, ApiClient } from "../../support/client.ts";
import type { Stack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";
import { type Request, v1 } from "./request.ts";
import { REQUESTS } from "./requests.ts";
import type { Needs, World } from "./worlds.ts";

/**
 * A request with a session, and whose session. `ready` makes what it needs, and returns its sender.
 */
export type BySession = {
  name: string;
  by: "token" | "chief" | "support";
  needs?: Needs;
  ready(world: World, stack: Stack): Promise<(api: ApiClient) => Promise<Answer<unknown>>>;
};

const HOOKS = "/v1/account/webhooks";
const hook = { url: "http://127.0.0.1:9/" };

const newHook = async ({ chief: token }: World, { api }: Stack) =>
  (await api.call<{ id: string }>("POST", HOOKS, { token, body: hook })).body.id;

/** An administrator of a new Cloud account. */
async function cloudUser({ deps, clock, createUser }: Stack) {
  const at = new Date(clock.now());
  const account = await createAccount(deps.db, { name: newId(), kind: "cloud", at });
  if (account === "exists") throw new Error("A random account name was taken");
  return createUser({ accountId: account.id, role: "administrator" });
}

const sending =
  (request: Request["send"]): BySession["ready"] =>
  async (world, stack) =>
  (api) =>
    request(api, world, stack);

/** Administrators' requests that are not about one user. */
export const OF_ACCOUNTS: BySession[] = [
  {
    name: "add a user",
    by: "chief",
    ready: sending(
      v1(
        "chief",
        "POST",
        () => "/v1/account/users",
        () => ({ username: `eve-${newId()}`, password: "long enough", role: "administrator" }),
      ),
    ),
  },
  {
    name: "add a webhook",
    by: "chief",
    ready: sending(
      v1(
        "chief",
        "POST",
        () => HOOKS,
        () => hook,
      ),
    ),
  },
  {
    name: "remove a webhook",
    by: "chief",
    ready: async (world, stack) => {
      const path = `${HOOKS}/${await newHook(world, stack)}`;
      return (api) => api.call("DELETE", path, { token: world.chief });
    },
  },
  {
    name: "enable a webhook",
    by: "chief",
    ready: async (world, stack) => {
      const path = `${HOOKS}/${await newHook(world, stack)}/enable`;
      return (api) => api.call("POST", path, { token: world.chief });
    },
  },
  {
    name: "send an event again",
    by: "chief",
    ready: async (world, stack) => {
      const path = `${HOOKS}/${await newHook(world, stack)}`;
      const token = world.chief;
      const body = { email: `${newId()}@example.org` };
      await stack.api.call("PUT", "/v1/me/email", { token: world.token, body });
      type Page = { deliveries: { eventId: number; state: string }[] };
      const page = await until(
        () => stack.api.call<Page>("GET", `${path}/deliveries`, { token }),
        (read) => read.body.deliveries[0]?.state === "waiting",
      );
      const eventId = page.body.deliveries[0]?.eventId;
      return (api) => api.call("POST", `${path}/deliveries/${eventId}/resend`, { token });
    },
  },
  {
    name: "turn logins by a passkey alone off",
    by: "chief",
    ready: sending(
      v1(
        "chief",
        "PUT",
        () => "/v1/account/passkey-login",
        () => ({ allowed: false }),
      ),
    ),
  },
  {
    name: "link a Cloud account",
    by: "chief",
    ready: async ({ chief: token }, stack) => {
      const { username, password } = await cloudUser(stack);
      const body = { username, password };
      return (api) => api.call("POST", "/v1/account/links", { token, body });
    },
  },
];

/** Who sends each request about a user. "none": it has no session, or it only ends sessions. */
const SENDERS: Record<string, BySession["by"] | "none"> = {
  "a bypass code by the administrator": "chief",
  "require it of the user": "chief",
  "require it of the account": "chief",
  "give another role": "chief",
  "a reset by Support": "support",
  "an unlock by Support": "support",
  "an unlock by Support after a crash": "support",
  "the wrong passcode that locks": "none",
  "log in": "none",
  "answer a challenge": "none",
  "answer it by a recovery code": "none",
  "log out": "none",
  "end all other sessions": "none",
};

export const OF_USERS: BySession[] = REQUESTS.flatMap(({ name, needs, send }) => {
  const by = SENDERS[name] ?? "token";
  return by === "none" ? [] : [{ name, by, needs, ready: sending(send) }];
});
