import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jsmpp.SMPPConstant;
import org.jsmpp.bean.DataCodings;
import org.jsmpp.bean.DeliveryReceipt;
import org.jsmpp.bean.ESMClass;
import org.jsmpp.bean.InterfaceVersion;
import org.jsmpp.bean.NumberingPlanIndicator;
import org.jsmpp.bean.OptionalParameter;
import org.jsmpp.bean.RegisteredDelivery;
import org.jsmpp.bean.SubmitSm;
import org.jsmpp.bean.TypeOfNumber;
import org.jsmpp.extra.ProcessRequestException;
import org.jsmpp.session.BindRequest;
import org.jsmpp.session.SMPPServerSession;
import org.jsmpp.session.SMPPServerSessionListener;
import org.jsmpp.session.ServerMessageReceiverListener;
import org.jsmpp.session.SubmitSmResult;
import org.jsmpp.util.DeliveryReceiptState;
import org.jsmpp.util.MessageId;
import org.jsmpp.util.RandomMessageIDGenerator;

/**
 * An SMSC for tests, on jSMPP's server. It writes what it sees as lines of JSON. The last two digits
 * of a message's number say what it does with the message: see `treat` in smsc.ts.
 */
class Smsc {
  private static final byte RECEIPT = 0x04;
  private static final RandomMessageIDGenerator IDS = new RandomMessageIDGenerator();
  private static final List<SMPPServerSession> BOUND = new CopyOnWriteArrayList<>();

  /** Arguments: port, system id, password, and how long a session may be silent, in ms. */
  public static void main(String[] arguments) throws IOException {
    var listener = new SMPPServerSessionListener(Integer.parseInt(arguments[0]));
    say("listening", "");
    while (true) {
      var session = listener.accept();
      session.setEnquireLinkTimer(Integer.parseInt(arguments[3]));
      session.setMessageReceiverListener(receiver());
      session.addSessionStateListener((state, before, source) -> {
        if (state.isBound()) return;
        if (BOUND.remove(session)) say("ended", "\"state\":\"%s\"".formatted(state));
      });
      new Thread(() -> bind(session, arguments[1], arguments[2])).start();
    }
  }

  private static void bind(SMPPServerSession session, String systemId, String password) {
    try {
      BindRequest request = session.waitForBind(5000);
      var known = systemId.equals(request.getSystemId());
      var right = known && password.equals(request.getPassword());
      say("bind", "\"type\":\"%s\",\"version\":%d,\"accepted\":%b"
          .formatted(request.getBindType(), request.getInterfaceVersion().value(), right));
      if (right) {
        session.setInterfaceVersion(InterfaceVersion.IF_34);
        BOUND.add(session);
        request.accept("smsc", InterfaceVersion.IF_34);
      } else {
        var wrong = known ? SMPPConstant.STAT_ESME_RINVPASWD : SMPPConstant.STAT_ESME_RINVSYSID;
        request.reject(wrong);
      }
    } catch (Exception error) {
      say("failed", "\"error\":\"%s\"".formatted(error.getClass().getSimpleName()));
    }
  }

  private static ServerMessageReceiverListener receiver() {
    Class<?>[] types = {ServerMessageReceiverListener.class};
    return (ServerMessageReceiverListener)
        Proxy.newProxyInstance(Smsc.class.getClassLoader(), types, (self, method, arguments) -> {
          switch (method.getName()) {
            case "onAcceptSubmitSm":
              return submit((SubmitSm) arguments[0], (SMPPServerSession) arguments[1]);
            case "onAcceptEnquireLink":
              say("enquire_link", "");
              return null;
            default:
              throw new ProcessRequestException("Unknown", SMPPConstant.STAT_ESME_RINVCMDID);
          }
        });
  }

  private static SubmitSmResult submit(SubmitSm message, SMPPServerSession session)
      throws Exception {
    MessageId id = IDS.newMessageId();
    var to = message.getDestAddress();
    say("submit", ("\"id\":\"%s\",\"to\":\"%s\",\"toTon\":%d,\"toNpi\":%d,\"from\":\"%s\",\"fromTon\":%d,"
            + "\"fromNpi\":%d,\"coding\":%d,\"esmClass\":%d,\"registered\":%d,\"validity\":\"%s\",\"octets\":\"%s\"")
        .formatted(id, to, message.getDestAddrTon(), message.getDestAddrNpi(),
            message.getSourceAddr(), message.getSourceAddrTon(), message.getSourceAddrNpi(),
            message.getDataCoding(), message.getEsmClass(), message.getRegisteredDelivery(),
            message.getValidityPeriod(), HexFormat.of().formatHex(message.getShortMessage())));
    var treatment = to.substring(to.length() - 2);
    switch (treatment) {
      case "90":
        throw new ProcessRequestException("No", SMPPConstant.STAT_ESME_RINVDSTADR);
      case "91":
        throw new ProcessRequestException("Slower", SMPPConstant.STAT_ESME_RTHROTTLED);
      case "92":
        Thread.sleep(60_000);
        break;
      case "93":
        report(session, message, id, treatment);
        // The receipt is answered. Give the client time to handle it before it knows the message's id.
        Thread.sleep(500);
        return new SubmitSmResult(id, new OptionalParameter[0]);
      default:
    }
    if (message.getRegisteredDelivery() != 0)
      new Thread(() -> report(session, message, id, treatment)).start();
    return new SubmitSmResult(id, new OptionalParameter[0]);
  }

  private static void report(
      SMPPServerSession session, SubmitSm message, MessageId id, String treatment) {
    var state = switch (treatment) {
      case "94" -> DeliveryReceiptState.UNDELIV;
      case "95" -> DeliveryReceiptState.EXPIRED;
      case "98" -> DeliveryReceiptState.ENROUTE;
      default -> DeliveryReceiptState.DELIVRD;
    };
    var told = treatment.equals("96") ? Long.toString(Long.parseLong(id.getValue(), 16)) : id.getValue();
    var text = new DeliveryReceipt(told, 1, 1, new Date(), new Date(), state, "000", "").toString();
    OptionalParameter[] parameters = {};
    if (treatment.equals("95")) {
      text = "";
      parameters = new OptionalParameter[] {
        new OptionalParameter.Receipted_message_id(id.getValue()),
        new OptionalParameter.Message_state((byte) 3),
      };
    }
    var other = BOUND.stream().filter(bound -> bound != session).findFirst();
    var by = treatment.equals("97") ? other.orElse(session) : session;
    try {
      // The receipt follows the answer, unless the number asks for it early.
      if (!treatment.equals("93")) Thread.sleep(100);
      by.deliverShortMessage("", TypeOfNumber.INTERNATIONAL, NumberingPlanIndicator.ISDN,
          message.getDestAddress(), TypeOfNumber.UNKNOWN, NumberingPlanIndicator.UNKNOWN,
          message.getSourceAddr(), new ESMClass(RECEIPT), (byte) 0, (byte) 0,
          new RegisteredDelivery(0), DataCodings.ZERO, text.getBytes(), parameters);
      say("receipt", "\"id\":\"%s\",\"acknowledged\":true".formatted(id));
    } catch (Exception error) {
      say("receipt", "\"id\":\"%s\",\"acknowledged\":false".formatted(id));
    }
  }

  private static synchronized void say(String event, String members) {
    System.out.println("{\"event\":\"%s\"%s}".formatted(event, members.isEmpty() ? "" : "," + members));
  }
}
