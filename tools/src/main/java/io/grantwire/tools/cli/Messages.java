package io.grantwire.tools.cli;

import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Failures as one line for people. */
public final class Messages {
    private Messages() {}

    /** What went wrong, in one line without a class name where the message says enough. */
    public static String of(Throwable failure) {
        return oneLine(
                switch (failure) {
                    case NoSuchFileException e -> e.getFile() + ": no such file or directory";
                    case AccessDeniedException e -> e.getFile() + ": permission denied";
                    case FileAlreadyExistsException e -> e.getFile() + ": exists already";
                    case FileSystemException e ->
                            e.getFile() + ": " + (e.getReason() == null ? e : e.getReason());
                    case java.io.UncheckedIOException e when e.getCause() != null ->
                            of(e.getCause());
                    case OutOfMemoryError e ->
                            "out of memory ("
                                    + e.getMessage()
                                    + "); give the JVM more with JDK_JAVA_OPTIONS=-Xmx…";
                    default -> {
                        String message = failure.getMessage();
                        yield message == null || message.isBlank()
                                ? failure.getClass().getSimpleName()
                                : message;
                    }
                });
    }

    /** The text on one line: line breaks and the blanks around them become one blank. */
    public static String oneLine(String text) {
        return text.indexOf('\n') < 0 && text.indexOf('\r') < 0
                ? text
                : text.strip().replaceAll("\\s*[\\r\\n]+\\s*", " ");
    }
}
