import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's command-line tools one after the other in one process: starting Java takes longer
 * than what most of them do.
 *
 * Reads a line per run: the file for the output, the file to read as standard input, the class and
 * its arguments, with the unit separator (0x1f) between them. Answers each with a line: the status
 * the tool would have ended with, 124 if it did not end within two minutes.
 */
public class Tools {
    static final int MOST_MS = 120_000;

    /** Thrown where a tool would end the process. */
    static final class Ended extends Error {
        final int status;

        Ended(int status) {
            super("ended with " + status, null, false, false);
            this.status = status;
        }
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream answers = System.out;
        Exit.setExitProcedure((status, message) -> {
            throw new Ended(status);
        });
        Exit.setHaltProcedure((status, message) -> {
            throw new Ended(status);
        });
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] parts = line.split("\u001f", -1);
            try (PrintStream out = new PrintStream(Files.newOutputStream(Path.of(parts[0])), true);
                    InputStream in = Files.newInputStream(Path.of(parts[1]))) {
                System.setOut(out);
                System.setErr(out);
                System.setIn(in);
                answers.println(run(parts[2], Arrays.copyOfRange(parts, 3, parts.length)));
            }
        }
        Runtime.getRuntime().halt(0);
    }

    static int run(String name, String[] arguments) throws InterruptedException {
        AtomicInteger status = new AtomicInteger(124);
        Thread tool = new Thread(() -> status.set(call(name, arguments)), name);
        tool.setDaemon(true);
        tool.start();
        tool.join(MOST_MS);
        return status.get();
    }

    static int call(String name, String[] arguments) {
        try {
            Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) arguments);
            return 0;
        } catch (InvocationTargetException problem) {
            if (problem.getCause() instanceof Ended ended) {
                return ended.status;
            }
            problem.getCause().printStackTrace();
            return 1;
        } catch (ReflectiveOperationException problem) {
            problem.printStackTrace();
            return 1;
        }
    }
}
