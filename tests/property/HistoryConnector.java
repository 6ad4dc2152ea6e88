package ozone;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.serialization.RuntimeContextInitializationContextAdapters;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
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
 * the files. A sink writes each change into its file in the order of arrival, + or - and the row.
 */
public final class HistoryConnector implements DynamicTableSourceFactory, DynamicTableSinkFactory {
    private static final ConfigOption<String> PATH = ConfigOptions.key("path").stringType().noDefaultValue();

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
        return Set.of();
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
        return new RecordingSink(helper.getOptions().get(PATH), format, context.getPhysicalRowDataType());
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

    /** Emits the events of one file, each at its turn. */
    private static final class Replay extends RichSourceFunction<RowData> {
        private final String path;
        private final DeserializationSchema<RowData> schema;
        private final int place;

        private Replay(String path, DeserializationSchema<RowData> schema, int place) {
            this.path = path;
            this.schema = schema;
            this.place = place;
        }

        @Override
        public void open(OpenContext context) throws Exception {
            schema.open(RuntimeContextInitializationContextAdapters.deserializationAdapter(getRuntimeContext()));
        }

        @Override
        public void run(SourceContext<RowData> context) throws Exception {
            String counter = counter(path);
            Turns turns = Turns.ALL.computeIfAbsent(counter, key -> new Turns(Integer.getInteger(key)));
            try (BufferedReader lines = Files.newBufferedReader(Path.of(path), StandardCharsets.UTF_8)) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    String[] parts = line.split("\t", 3);
                    RowData row = schema.deserialize(parts[2].getBytes(StandardCharsets.UTF_8));
                    row.setRowKind(parts[1].equals("D") ? RowKind.DELETE : RowKind.UPDATE_AFTER);
                    turns.await(place, Long.parseLong(parts[0]));
                    synchronized (context.getCheckpointLock()) {
                        context.collect(row);
                    }
                }
            } finally {
                turns.leave(place);
            }
        }

        @Override
        public void cancel() {
            // The thread is interrupted, which ends its waiting.
        }
    }

    /** Who may go on: of all sources of a job the one whose next event has the least turn. */
    private static final class Turns {
        private static final Map<String, Turns> ALL = new ConcurrentHashMap<>();

        private final ReentrantLock lock = new ReentrantLock();
        private final TreeMap<Long, Condition> waiting = new TreeMap<>();
        private final Map<Integer, Long> announced = new ConcurrentHashMap<>();
        private final int sources;
        private int known;

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
                wake();
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
            String path, EncodingFormat<SerializationSchema<RowData>> format, DataType type)
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
            return SinkFunctionProvider.of(new Record(path, format.createRuntimeEncoder(context, type)));
        }

        @Override
        public DynamicTableSink copy() {
            return new RecordingSink(path, format, type);
        }

        @Override
        public String asSummaryString() {
            return "record";
        }
    }

    /** Appends each change to the file that all subtasks of a sink share. */
    private static final class Record extends RichSinkFunction<RowData> {
        private static final Map<String, BufferedWriter> OPEN = new ConcurrentHashMap<>();

        private final String path;
        private final SerializationSchema<RowData> schema;
        private transient BufferedWriter file;

        private Record(String path, SerializationSchema<RowData> schema) {
            this.path = path;
            this.schema = schema;
        }

        @Override
        public void open(OpenContext context) throws Exception {
            schema.open(RuntimeContextInitializationContextAdapters.serializationAdapter(getRuntimeContext()));
            file = OPEN.computeIfAbsent(path, Record::create);
        }

        private static BufferedWriter create(String path) {
            try {
                return Files.newBufferedWriter(Path.of(path), StandardCharsets.UTF_8);
            } catch (IOException error) {
                throw new IllegalStateException(error);
            }
        }

        @Override
        public void invoke(RowData row, Context context) throws Exception {
            String text = new String(schema.serialize(row), StandardCharsets.UTF_8);
            synchronized (file) {
                file.write(row.getRowKind() == RowKind.DELETE ? '-' : '+');
                file.write(text);
                file.write('\n');
            }
        }

        @Override
        public void close() throws Exception {
            if (file != null) {
                synchronized (file) {
                    file.flush(); // the other subtasks may still write
                }
            }
        }
    }
}
