// People's forms on a slow day: a worker takes longer to answer a page than a program would wait.
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { newId } from "../../store/ids.ts";
import { getAccount } from "../../store/postgres/accounts.ts";
import { listDevices } from "../../store/postgres/devices.ts";
import { PAGE_PATIENCE_MS } from "../../temporal/page-time.ts";
import { codeAt, logInByApp, registerApp, supportOperator, userWithApp } from "../support/apps.ts";
import type { Person } from "../support/people.ts";
import { newPhone } from "../support/phones.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { until } from "../support/until.ts";
import { useGatewayBehindLinks, useStack } from "../support/used.ts";
import { type WebClient, webClient } from "../support/web.ts";

const SITE = "https://mfa.example";
/** ms. Longer than a program's call waits for a worker. */
const SLOW_MS = 2_500;

const stack = useStack();
const gateway = useGatewayBehindLinks(stack);

/** Sends a page's form. Returns the page that it leads to. */
async function send(
  token: string,
  path: string,
  fields: Record<string, string> = {},
  { app }: Pick<typeof stack, "app"> = stack,
) {
  const headers = { cookie: `__Host-session=${token}`, origin: SITE };
  const body = new URLSearchParams(fields);
  const answer = await app.request(`${SITE}${path}`, { method: "POST", headers, body });
  return { status: answer.status, to: answer.headers.get("location"), text: await answer.text() };
}

/** Delays the workers' writes for SLOW_MS while the forms are being sent. */
async function slowly<Sent>(sendAll: () => Promise<Sent>): Promise<Sent> {
  const client = new pg.Client({ connectionString: stack.deps.config.DATABASE_URL });
  await client.connect();
  await client.query("begin; lock table events in access exclusive mode");
  try {
    const sent = sendAll();
    await Promise.race([sent, sleep(SLOW_MS)]);
    await client.query("rollback");
    return await sent;
  } finally {
    await client.end();
  }
}

async function loggedInByApp() {
  const { user, id, secret } = await userWithApp(stack);
  const { token } = await logInByApp(stack, user, secret);
  return { user, id, token };
}

const tokenOf = async (user: Person) => (await logInByPassword(stack, user)).token;

test("a form whose work takes longer than a program waits gets its answer when the work is done", async () => {
  const [all, one, reset] = [await loggedInByApp(), await loggedInByApp(), await loggedInByApp()];
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const { device, secret } = await registerApp(stack, token);
  const administrator = await stack.createUser({ role: "administrator" });
  const support = await supportOperator(stack);

  const tokens = { administrator: await tokenOf(administrator), support: support.token };
  const answers = await slowly(() =>
    Promise.all([
      send(all.token, "/devices/remove-all"),
      send(one.token, `/devices/manage/${one.id}/remove`),
      send(tokens.support, `/support/users/${reset.user.id}/reset`, {
        "reset-reason": "The phone is lost",
      }),
      send(tokens.administrator, "/account", { requirement: "required", enforceAfter: "14" }),
      send(token, `/devices/otp/${device.id}/verify`, { code: codeAt(secret, stack.clock.now()) }),
    ]),
  );
  for (const answer of answers) expect(answer, answer.text).toMatchObject({ status: 303 });
  const { db } = stack.deps;
  for (const { user } of [all, one, reset]) expect(await listDevices(db, user.id)).toEqual([]);
  expect((await listDevices(db, user.id))[0]?.verifiedAt).not.toBeNull();
  expect((await getAccount(db, administrator.accountId))?.requirement).toBe("required");
});

describe("a removal that takes too long", () => {
  const REMOVING = "The devices are being removed. This continues in the background";

  /** Sends the forms while no worker runs, and follows each page until it leads on. */
  async function follow(
    forms: { web: WebClient; path: string; fields?: Record<string, string> }[],
  ) {
    await stack.stopWorker();
    const pages = await Promise.all(
      forms.map(async ({ web, path, fields = {} }) => ({
        web,
        page: await web.send(path, fields),
      })),
    );
    for (const { web, page } of pages) {
      expect(page.first.status).toBe(303);
      expect(page.status).toBe(200);
      expect(page.html).toContain(REMOVING);
      // The page says so as long as the removal runs.
      expect((await web.open(page.at)).html).toContain(REMOVING);
    }
    await stack.restartWorker();
    return Promise.all(
      pages.map(({ web, page }) =>
        until(
          () => web.open(page.at),
          ({ at }) => at !== page.at,
        ),
      ),
    );
  }

  test("says that it goes on, is finished later, and its page leads on", async () => {
    const [all, one, reset] = [await loggedInByApp(), await loggedInByApp(), await loggedInByApp()];
    const desk = webClient(stack, (await supportOperator(stack)).token);
    const [ofAll, ofOne, ofReset] = await follow([
      { web: webClient(stack, all.token), path: "/devices/remove-all" },
      { web: webClient(stack, one.token), path: `/devices/manage/${one.id}/remove` },
      {
        web: desk,
        path: `/support/users/${reset.user.id}/reset`,
        fields: { "reset-reason": "The phone is lost" },
      },
    ]);
    const notices = ["The removal is finished. Multi-factor authentication is off."];
    for (const page of [ofAll, ofOne]) expect(page).toMatchObject({ at: "/devices", notices });
    expect(ofReset).toMatchObject({ at: `/support/users/${reset.user.id}`, notices });
    for (const { user } of [all, one, reset])
      expect(await listDevices(stack.deps.db, user.id)).toEqual([]);
  });

  test("leads to the login, which says why, if the session ends with it", async () => {
    const { user, secret } = await userWithApp(stack, { role: "administrator" });
    const { token } = await logInByApp(stack, user, secret);
    const body = { requirement: "required" };
    await stack.api.call("PUT", "/v1/account/multi-factor-policy", { token, body });
    const web = webClient(stack, token);
    const [page] = await follow([{ web, path: "/devices/remove-all" }]);
    expect(page?.heading).toBe("Log in");
    expect(page?.notices.join()).toContain("Your devices were removed.");
  });

  test("attack: a link to the page of a removal that does not exist shows nothing", async () => {
    const { token } = await loggedInByApp();
    for (const id of [newId(), "x", "..%2f.."]) {
      const page = await webClient(stack, token).open(`/devices/removals/${id}?to=//evil.example`);
      expect(page).toMatchObject({ at: "/devices", status: 200, notices: [] });
    }
  });
});

test("a form for a new device waits as long as a page may, and then leaves no device", async () => {
  const user = await stack.createUser();
  const token = await tokenOf(user);
  const { countryCode, phoneNumber } = newPhone();
  await gateway.links.temporal.silence();
  for (const [path, fields] of [
    ["/devices/otp", { name: "work phone" }],
    ["/devices/sms", { countryCode, phoneNumber }],
  ] as const) {
    const begun = performance.now();
    const answer = await send(token, path, fields, gateway);
    const waited = performance.now() - begun;
    expect(answer.status, answer.text).toBe(503);
    expect(waited).toBeGreaterThan(PAGE_PATIENCE_MS - 1_000);
  }
  await gateway.links.temporal.mend();
  expect(await listDevices(stack.deps.db, user.id)).toEqual([]);
});
