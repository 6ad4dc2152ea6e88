package ozone;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.serialization.RuntimeContextInitializationContextAdapters;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.legacy.RichSinkFunction;
import org.apache.flink.streaming.api.functions.source.legacy.RichSourceFunction;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.ProviderContext;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.format.EncodingFormat;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.connector.sink.legacy.SinkFunctionProvider;
import org.apache.flink.table.connector.source.DataStreamScanProvider;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.factories.DynamicTableSinkFactory;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.factories.SerializationFormatFactory;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.types.RowKind;

/**
 * Stands for Kafka and PostgreSQL in a test: replays histories from files, and records what a sink is told.
 *
 * <p>A source is an upsert changelog with a primary key, as upsert-kafka is, so that Flink plans the same operators
 * behind it. Its file holds one event a line: the turn, U or D, and the row (of a D the key) as JSON, separated by
 * tabs. All sources of a job take turns: the file of a history says which topic's event comes when. The job ends with
 * the files. Each task of a sink writes its changes into a file of its own: when it came, + or -, and the row.
 *
 * <p>Each line of the file `interruptions` beside the topics holds two turns: before the first the job is to have a
 * checkpoint that holds all that came so far; before the second it fails, once the sinks were told what came between,
 * and goes on from there, in the order of turns once more. A sink keeps what it was told by the run that failed, as a
 * database does, unless its option `forgets` has it begin from what the checkpoint knew, as a transaction would.
 */
public final class HistoryConnector implements DynamicTableSourceFactory, DynamicTableSinkFactory {
    private static final ConfigOption<String> PATH = ConfigOptions.key("path").stringType().noDefaultValue();
    private static final ConfigOption<Boolean> FORGETS = ConfigOptions.key("forgets").booleanType().defaultValue(false);

    @Override
    public String factoryIdentifier() {
        return "history";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of(PATH, FactoryUtil.FORMAT);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of(FORGETS);
    }

    @Override
    public DynamicTableSource createDynamicTableSource(DynamicTableFactory.Context context) {
        FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
        DecodingFormat<DeserializationSchema<RowData>> format =
                helper.discoverDecodingFormat(DeserializationFormatFactory.class, FactoryUtil.FORMAT);
        helper.validate();
        return new HistorySource(helper.getOptions().get(PATH), format, context.getPhysicalRowDataType());
    }

    @Override
    public DynamicTableSink createDynamicTableSink(DynamicTableFactory.Context context) {
        FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
        EncodingFormat<SerializationSchema<RowData>> format =
                helper.discoverEncodingFormat(SerializationFormatFactory.class, FactoryUtil.FORMAT);
        helper.validate();
        String path = helper.getOptions().get(PATH);
        boolean forgets = helper.getOptions().get(FORGETS);
        return new RecordingSink(path, forgets, format, context.getPhysicalRowDataType());
    }

    private record HistorySource(
            String path, DecodingFormat<DeserializationSchema<RowData>> format, DataType type)
            implements ScanTableSource {
        @Override
        public ChangelogMode getChangelogMode() {
            // Built as upsert-kafka builds it: ChangelogMode.upsert() promises more about deletes, and plans less.
            return ChangelogMode.newBuilder()
                    .addContainedKind(RowKind.UPDATE_AFTER)
                    .addContainedKind(RowKind.DELETE)
                    .build();
        }

        @Override
        public ScanRuntimeProvider getScanRuntimeProvider(ScanContext context) {
            DeserializationSchema<RowData> schema = format.createRuntimeDecoder(context, type);
            InternalTypeInfo<RowData> produced = InternalTypeInfo.of((RowType) type.getLogicalType());
            return new DataStreamScanProvider() {
                @Override
                public DataStream<RowData> produceDataStream(ProviderContext ignored, StreamExecutionEnvironment env) {
                    // Sources are made before the job runs, by another class loader than the one that runs them.
                    String counter = counter(path);
                    int place = Integer.getInteger(counter, 0);
                    System.setProperty(counter, String.valueOf(place + 1));
                    String name = Path.of(path).getFileName().toString();
                    return env.addSource(new Replay(path, schema, place), name, produced).setParallelism(1);
                }

                @Override
                public boolean isBounded() {
                    return false; // planned as a stream that never ends, as Kafka is
                }
            };
        }

        @Override
        public DynamicTableSource copy() {
            return new HistorySource(path, format, type);
        }

        @Override
        public String asSummaryString() {
            return "history";
        }
    }

    private static String counter(String path) {
        return "ozone.sources." + Path.of(path).getParent();
    }

    /** Emits the events of one file, each at its turn; a checkpoint remembers how many. */
    private static final class Replay extends RichSourceFunction<RowData>
            implements CheckpointedFunction, CheckpointListener {
        private final String path;
        private final DeserializationSchema<RowData> schema;
        private final int place;
        private transient ListState<Long> remembered;
        private transient Turns turns;
        private transient long emitted;

        private Replay(String path, DeserializationSchema<RowData> schema, int place) {
            this.path = path;
            this.schema = schema;
            this.place = place;
        }

        @Override
        public void initializeState(FunctionInitializationContext context) throws Exception {
            remembered = context.getOperatorStateStore().getListState(new ListStateDescriptor<>("emitted", Long.class));
            for (long each : remembered.get()) {
                emitted = each;
            }
        }

        @Override
        public void open(OpenContext context) throws Exception {
            schema.open(RuntimeContextInitializationContextAdapters.deserializationAdapter(getRuntimeContext()));
            String counter = counter(path);
            // Each attempt of a job that failed has its own: all of its sources begin again.
            String attempt = counter + "/" + getRuntimeContext().getTaskInfo().getAttemptNumber();
            turns = Turns.ALL.computeIfAbsent(attempt, ignored -> new Turns(Integer.getInteger(counter)));
        }

        @Override
        public void run(SourceContext<RowData> context) throws Exception {
            Interruptions interruptions = new Interruptions(Path.of(path).resolveSibling("interruptions"), turns);
            try (Stream<String> lines = Files.lines(Path.of(path), StandardCharsets.UTF_8)) {
                for (String line : (Iterable<String>) lines.skip(emitted)::iterator) {
                    String[] parts = line.split("\t", 3);
                    RowData row = schema.deserialize(parts[2].getBytes(StandardCharsets.UTF_8));
                    row.setRowKind(parts[1].equals("D") ? RowKind.DELETE : RowKind.UPDATE_AFTER);
                    long turn = Long.parseLong(parts[0]);
                    turns.await(place, turn);
                    interruptions.before(turn);
                    synchronized (context.getCheckpointLock()) {
                        context.collect(row);
                        emitted++;
                    }
                }
            } finally {
                turns.leave(place);
            }
            turns.awaitEnd(); // what has finished by a checkpoint would not take its turns again
        }

        @Override
        public void snapshotState(FunctionSnapshotContext context) throws Exception {
            remembered.update(List.of(emitted));
            turns.begun(context.getCheckpointId());
        }

        @Override
        public void notifyCheckpointComplete(long id) {
            turns.complete(id);
        }

        @Override
        public void cancel() {
            // The thread is interrupted, which ends its waiting.
        }
    }

    /** Where a job is to fail and come back; only the source whose turn it is asks. */
    private static final class Interruptions {
        /** Milliseconds that the last change takes to the sinks; shorter than the pause between two checkpoints. */
        private static final long ARRIVAL = 700;

        private static final String NEVER = String.valueOf(Long.MAX_VALUE);

        private final Turns turns;
        private final Path done;
        private final long checkpoint;
        private final long failure;

        private Interruptions(Path file, Turns turns) throws IOException {
            this.turns = turns;
            List<String> lines = Files.readAllLines(file);
            int number = 0;
            while (Files.exists(file.resolveSibling("interrupted-" + number))) {
                number++;
            }
            done = file.resolveSibling("interrupted-" + number);
            String[] parts = number < lines.size() ? lines.get(number).split(" ") : new String[] {NEVER, NEVER};
            checkpoint = Long.parseLong(parts[0]);
            failure = Long.parseLong(parts[1]);
        }

        private void before(long turn) throws IOException, InterruptedException {
            if (turn >= checkpoint) {
                turns.awaitCheckpoint();
            }
            if (turn >= failure) {
                Thread.sleep(ARRIVAL);
                Files.createFile(done);
                throw new IllegalStateException("interrupted on purpose");
            }
        }
    }

    /** Who may go on: of all sources of a job the one whose next event has the least turn. */
    private static final class Turns {
        private static final Map<String, Turns> ALL = new ConcurrentHashMap<>();

        private final ReentrantLock lock = new ReentrantLock();
        private final TreeMap<Long, Condition> waiting = new TreeMap<>();
        private final Map<Integer, Long> announced = new ConcurrentHashMap<>();
        private final int sources;
        private final Condition changed = lock.newCondition();
        private int known;
        private int left;
        private long begun;
        private long complete;
        private boolean checkpoint;

        private Turns(int sources) {
            this.sources = sources;
        }

        private void await(int place, long turn) throws InterruptedException {
            lock.lockInterruptibly();
            try {
                long mine = turn * sources + place;
                forget(place);
                announced.put(place, mine);
                waiting.put(mine, lock.newCondition());
                wake();
                while (known < sources || waiting.firstKey() != mine) {
                    waiting.get(mine).await();
                }
            } finally {
                lock.unlock();
            }
        }

        private void leave(int place) {
            lock.lock();
            try {
                forget(place);
                left++;
                changed.signalAll();
                wake();
            } finally {
                lock.unlock();
            }
        }

        private void awaitEnd() throws InterruptedException {
            lock.lockInterruptibly();
            try {
                while (left < sources) {
                    changed.await();
                }
            } finally {
                lock.unlock();
            }
        }

        /** Waits for a checkpoint that no source has begun yet, once. */
        private void awaitCheckpoint() throws InterruptedException {
            lock.lockInterruptibly();
            try {
                long before = begun;
                while (!checkpoint && complete <= before) {
                    changed.await();
                }
                checkpoint = true;
            } finally {
                lock.unlock();
            }
        }

        private void begun(long id) {
            lock.lock();
            try {
                begun = Math.max(begun, id);
            } finally {
                lock.unlock();
            }
        }

        private void complete(long id) {
            lock.lock();
            try {
                complete = Math.max(complete, id);
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }

        private void forget(int place) {
            Long before = announced.remove(place);
            if (before == null) {
                known++; // it had nothing before
            } else {
                waiting.remove(before);
            }
        }

        private void wake() {
            if (known >= sources && !waiting.isEmpty()) {
                waiting.firstEntry().getValue().signal();
            }
        }
    }

    private record RecordingSink(
            String path, boolean forgets, EncodingFormat<SerializationSchema<RowData>> format, DataType type)
            implements DynamicTableSink {
        @Override
        public ChangelogMode getChangelogMode(ChangelogMode requested) {
            // That of the JDBC connector where the sink has a primary key.
            return ChangelogMode.newBuilder()
                    .addContainedKind(RowKind.INSERT)
                    .addContainedKind(RowKind.DELETE)
                    .addContainedKind(RowKind.UPDATE_AFTER)
                    .build();
        }

        @Override
        public SinkRuntimeProvider getSinkRuntimeProvider(Context context) {
            return SinkFunctionProvider.of(new Record(path, forgets, format.createRuntimeEncoder(context, type)));
        }

        @Override
        public DynamicTableSink copy() {
            return new RecordingSink(path, forgets, format, type);
        }

        @Override
        public String asSummaryString() {
            return "record";
        }
    }

    /** Appends each change to the file of this task; a checkpoint remembers how long it was. */
    private static final class Record extends RichSinkFunction<RowData> implements CheckpointedFunction {
        private final String path;
        private final boolean forgets;
        private final SerializationSchema<RowData> schema;
        private transient ListState<String> remembered;
        private transient Path file;
        private transient BufferedWriter writer;
        private transient long written;

        private Record(String path, boolean forgets, SerializationSchema<RowData> schema) {
            this.path = path;
            this.forgets = forgets;
            this.schema = schema;
        }

        @Override
        public void initializeState(FunctionInitializationContext context) throws Exception {
            file = Path.of(path + "." + getRuntimeContext().getTaskInfo().getIndexOfThisSubtask());
            // Of all tasks, as a restored one need not get what it remembered itself.
            remembered = context.getOperatorStateStore()
                    .getUnionListState(new ListStateDescriptor<>("written", String.class));
            if (Files.exists(file)) {
                try (Stream<String> lines = Files.lines(file)) {
                    written = lines.count();
                }
            }
            if (forgets && written > 0) {
                written = 0;
                for (String each : remembered.get()) {
                    String[] parts = each.split(" ", 2);
                    if (parts[1].equals(file.toString())) {
                        written = Long.parseLong(parts[0]);
                    }
                }
                Files.write(file, Files.readAllLines(file).subList(0, (int) written));
            }
            writer = Files.newBufferedWriter(
                    file, StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }

        @Override
        public void open(OpenContext context) throws Exception {
            schema.open(RuntimeContextInitializationContextAdapters.serializationAdapter(getRuntimeContext()));
        }

        @Override
        public void invoke(RowData row, Context context) throws Exception {
            // The JDBC connector deletes the row for both.
            boolean gone = row.getRowKind() == RowKind.DELETE || row.getRowKind() == RowKind.UPDATE_BEFORE;
            String kind = gone ? "-" : "+";
            String text = new String(schema.serialize(row), StandardCharsets.UTF_8);
            writer.write(System.nanoTime() + "\t" + kind + text + "\n");
            written++;
        }

        @Override
        public void snapshotState(FunctionSnapshotContext context) throws Exception {
            remembered.update(List.of(written + " " + file));
        }

        @Override
        public void close() throws Exception {
            if (writer != null) {
                writer.close();
            }
        }
    }
}
