"""Ask an EtherNet/IP device for its identity and objects, by pycomm3.

usage: enip_client.py ADDRESS
"""
import sys

from pycomm3 import CIPDriver, ClassCode, Services


def main():
    CIPDriver.list_identity(sys.argv[1])
    for what, arguments in [
            ("identity", dict(service=Services.get_attributes_all, class_code=ClassCode.identity_object, instance=1)),
            ("product name", dict(service=Services.get_attribute_single, class_code=ClassCode.identity_object,
                                  instance=1, attribute=7)),
            ("an attribute it has not", dict(service=Services.get_attribute_single,
                                             class_code=ClassCode.identity_object, instance=1, attribute=99)),
            ("set an attribute", dict(service=Services.set_attribute_single, class_code=b"\x93", instance=3,
                                      attribute=10, request_data=b"\x00\x00\x80\x3f")),
            ("an object it has not", dict(service=Services.get_attributes_all, class_code=b"\xc9", instance=1)),
            ("reset", dict(service=Services.reset, class_code=ClassCode.identity_object, instance=1,
                           request_data=b"\x00"))]:
        for connected in (False, True):
            # the server ends the session over what it does not know
            try:
                with CIPDriver(sys.argv[1]) as c:
                    print(what, connected, c.generic_message(connected=connected, name=what, **arguments))
            except Exception as e:
                print(what, connected, e)


main()
