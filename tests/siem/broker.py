"""The Kafka cluster that librdkafka brings for the tests of its own clients. Orders come on standard input: down, up, slow,
fast, refuse. The first line that it writes are its brokers."""
import ctypes
import sys

kafka = ctypes.CDLL(sys.argv[1])
pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
for name, result, arguments in [
    ("rd_kafka_conf_new", pointer, []),
    ("rd_kafka_new", pointer, [number, pointer, text, ctypes.c_size_t]),
    ("rd_kafka_mock_cluster_new", pointer, [pointer, number]),
    ("rd_kafka_mock_cluster_bootstraps", text, [pointer]),
    ("rd_kafka_mock_topic_create", number, [pointer, text, number, number]),
    ("rd_kafka_mock_broker_set_down", number, [pointer, ctypes.c_int32]),
    ("rd_kafka_mock_broker_set_up", number, [pointer, ctypes.c_int32]),
    ("rd_kafka_mock_broker_set_rtt", number, [pointer, ctypes.c_int32, number]),
]:
    function = getattr(kafka, name)
    function.restype, function.argtypes = result, arguments
why = ctypes.create_string_buffer(512)
client = kafka.rd_kafka_new(0, kafka.rd_kafka_conf_new(), why, 512)
cluster = kafka.rd_kafka_mock_cluster_new(client, 1)
kafka.rd_kafka_mock_topic_create(cluster, b"agents", 4, 1)
print(kafka.rd_kafka_mock_cluster_bootstraps(cluster).decode(), flush=True)
PRODUCE = ctypes.c_int16(0)
NOT_LEADER, REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS = number(6), number(7), number(19)
for order in sys.stdin:
    match order.strip():
        case "down":
            kafka.rd_kafka_mock_broker_set_down(cluster, 1)
        case "up":
            kafka.rd_kafka_mock_broker_set_up(cluster, 1)
        case "slow":
            kafka.rd_kafka_mock_broker_set_rtt(cluster, 1, 300)
        case "fast":
            kafka.rd_kafka_mock_broker_set_rtt(cluster, 1, 0)
        case "refuse":
            kafka.rd_kafka_mock_push_request_errors(
                pointer(cluster), PRODUCE, ctypes.c_size_t(3), NOT_LEADER, REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS
            )
