import { fileURLToPath } from "node:url";
import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundle } from "@temporalio/worker";
import { DeterminismViolationError } from "@temporalio/workflow";
import { beforeAll, expect, test } from "vitest";
import { ORIGIN } from "./flows.ts";
import { useWorld, type World } from "./world.ts";

const world = useWorld("skipping");
const DAY = 86_400_000;

let workflowBundle: WorkflowBundle;
beforeAll(async () => {
  workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL("../../workflows/index.ts", import.meta.url)),
    logger: new DefaultLogger("ERROR"),
  });
});

type Ended = Pick<
  Awaited<ReturnType<World["loginChallenge"]>>["handle"],
  "fetchHistory" | "workflowId" | "result"
>;

/** How flows end, each by way of the moves that leave timers and activities behind. */
const outcomes: Record<string, () => Promise<Ended>> = {
  async "a login after a wrong passcode and a resend"() {
    const { handle, reaches, update } = await world.loginChallenge();
    await reaches("awaiting_passcode");
    await update("rejectPasscode", { failures: 1 });
    await update("resendPasscode");
    await reaches("awaiting_passcode");
    await update("acceptPasscode", { factor: "sms", origin: ORIGIN });
    return handle;
  },
  async "a login that leaves a message half sent for the app"() {
    world.phone.fail();
    const { handle, update } = await world.loginChallenge();
    await update("chooseMethod", { method: "otp", maySend: false });
    await update("acceptPasscode", { factor: "otp", origin: ORIGIN });
    return handle;
  },
  async "a login that nobody finishes"() {
    const { handle, reaches } = await world.loginChallenge();
    await reaches("awaiting_passcode");
    return handle;
  },
  async "a lock while a passcode is on its way"() {
    world.phone.fail();
    const { handle, update } = await world.loginChallenge();
    await update("lockAccount", { origin: ORIGIN });
    return handle;
  },
  async "a login that a removal withdraws"() {
    const { handle, reaches } = await world.loginChallenge();
    await reaches("awaiting_passcode");
    await handle.signal("withdraw", { reason: "all_devices_removed" });
    return handle;
  },
  async "a phone verified by its second PIN"() {
    const { handle, reaches, update } = await world.smsEnrollment();
    await reaches("awaiting_pin");
    await update("voidPin");
    await update("resendPin");
    await reaches("awaiting_pin");
    await update("acceptPin", { makeDefault: true, origin: ORIGIN });
    return handle;
  },
  async "a phone removed while its PIN is being sent"() {
    world.phone.fail();
    const { handle, update } = await world.smsEnrollment();
    await update("remove", { origin: ORIGIN });
    return handle;
  },
  async "a phone that nobody verifies, whose PIN never went out"() {
    world.phone.fail();
    return (await world.smsEnrollment()).handle;
  },
  async "a removal of all devices"() {
    const login = await world.loginChallenge();
    await login.reaches("awaiting_passcode");
    return world.deviceRemoval(login);
  },
  async "an app verified without a sign-out"() {
    const { handle, update } = await world.otpEnrollment();
    await update("rejectCode");
    await update("restart");
    await update("acceptCode", { makeDefault: false, signOut: false, origin: ORIGIN });
    return handle;
  },
};

test.each(Object.keys(outcomes))("%s replays on today's code", async (name) => {
  const ended = await (outcomes[name] as () => Promise<Ended>)();
  await world.pass(8 * DAY);
  await ended.result();
  const history = await ended.fetchHistory();
  await Worker.runReplayHistory({ workflowBundle }, history, ended.workflowId);
});

test("a history of other code does not replay", async () => {
  const { handle, reaches } = await world.loginChallenge();
  await reaches("awaiting_passcode");
  const history = await handle.fetchHistory();
  for (const { activityTaskScheduledEventAttributes: scheduled } of history.events ?? [])
    if (scheduled?.activityType) scheduled.activityType.name = "sendLetter";
  await expect(
    Worker.runReplayHistory({ workflowBundle }, history, handle.workflowId),
  ).rejects.toThrow(DeterminismViolationError);
});
