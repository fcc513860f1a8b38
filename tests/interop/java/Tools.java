import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
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
    static final AtomicReference<Integer> first = new AtomicReference<>();

    /** Thrown where a tool would end the process. */
    static final class Ended extends Error {
        Ended(int status) {
            super("ended with " + status, null, false, false);
        }
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream answers = System.out;
        Exit.setExitProcedure((status, message) -> end(status));
        Exit.setHaltProcedure((status, message) -> end(status));
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

    /** Some tools catch what is thrown here and exit once more: the first status is theirs. */
    static void end(int status) {
        first.compareAndSet(null, status);
        throw new Ended(status);
    }

    static int run(String name, String[] arguments) throws InterruptedException {
        AtomicInteger status = new AtomicInteger(124);
        first.set(null);
        Thread tool = new Thread(() -> status.set(call(name, arguments)), name);
        tool.setDaemon(true);
        tool.start();
        tool.join(MOST_MS);
        return status.get();
    }

    static int call(String name, String[] arguments) {
        try {
            Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) arguments);
            return first.get() == null ? 0 : first.get();
        } catch (InvocationTargetException problem) {
            if (problem.getCause() instanceof Ended) {
                return first.get();
            }
            problem.getCause().printStackTrace();
            return 1;
        } catch (ReflectiveOperationException problem) {
            problem.printStackTrace();
            return 1;
        }
    }
}
